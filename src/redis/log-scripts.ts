import type { ScriptDefinition } from './relay-redis';

/** What a chunk takes of Redis beside its values: the hash, its fields, its places in the indexes. */
const CHUNK_BYTES = 1500;
/** The same for a body or a summary within a chunk. */
const FIELD_BYTES = 100;

/**
 * The delivery log (delivery-log/log-store.ts). KEYS of each: what its keys begin with. Beside the chunks, which are hashes,
 * there are `chunks` (a sorted set by the time of their first record), `sizes` (rows, bytes and time of the last record of each
 * chunk), `sums` (rows and bytes of all), `since` (what is older was removed, or never logged) and `gaps` (records that were
 * skipped, by hour).
 */
export const LOG_SCRIPTS = {
  /**
   * Adds rows to a chunk, all of its columns together, so that they stay aligned. Answers with rows and bytes of all chunks.
   * ARGV: chunk, time of its first record, time of the last one, rows, milliseconds that it is kept for, hour of the records that
   * were skipped before, how many those are, number of columns, number of summaries, name and bytes of each column, of each summary,
   * which takes the place of what it was before and has its length, and of each body.
   */
  relayLogWrite: {
    numberOfKeys: 1,
    lua: `
      local call, L, id = redis.call, KEYS[1], ARGV[1]
      local key, columns = L .. ':' .. id, 9 + 2 * tonumber(ARGV[8])
      local summaries = columns + 2 * tonumber(ARGV[9])
      local isNew = call('EXISTS', key) == 0
      local bytes = isNew and ${CHUNK_BYTES} or 0
      for i = 10, columns, 2 do
        local value = ARGV[i + 1]
        -- Redis hashes each byte of a text that a script makes.
        local before = not isNew and call('HGET', key, ARGV[i])
        call('HSET', key, ARGV[i], before and before .. value or value)
        bytes = bytes + #value
      end
      for i = columns + 1, #ARGV, 2 do
        local added = call(i > summaries and 'HSETNX' or 'HSET', key, ARGV[i], ARGV[i + 1])
        if added == 1 then bytes = bytes + #ARGV[i + 1] + ${FIELD_BYTES} end
      end
      call('PEXPIRE', key, ARGV[5])
      -- The clock of the worker may be ahead; the log does not begin in the future.
      local time = call('TIME')
      local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
      local since = tonumber(call('GET', L .. ':since') or '')
      if not since or since > now then
        call('SET', L .. ':since', string.format('%.0f', math.min(tonumber(ARGV[2]), now)))
      end
      call('ZADD', L .. ':chunks', 'NX', ARGV[2], id)
      local rows, size = string.match(call('HGET', L .. ':sizes', id) or '0 0', '^(%d+) (%d+)')
      call('HSET', L .. ':sizes', id,
        string.format('%.0f %.0f ', rows + ARGV[4], size + bytes) .. ARGV[3])
      if ARGV[7] ~= '0' then call('HINCRBY', L .. ':gaps', ARGV[6], ARGV[7]) end
      return {call('HINCRBY', L .. ':sums', 'rows', ARGV[4]), call('HINCRBY', L .. ':sums', 'bytes', bytes)}`,
  },
  /**
   * Removes the oldest chunks: those that are too old, and as many as there are too many rows or bytes. Answers with the
   * number of chunks removed, then rows and bytes of those that stay. Ages count by the clock of Redis: that of one worker may be
   * ahead, and would remove what all others have logged.
   * ARGV: milliseconds that everything is kept for, most rows, most bytes, most chunks to remove now, least chunks to remove.
   */
  relayLogTrim: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      local call, L, removed = redis.call, KEYS[1], 0
      local time, maxRows, maxBytes = call('TIME'), tonumber(ARGV[2]), tonumber(ARGV[3])
      local now = tonumber(time[1]) * 1000
      local oldest = now - tonumber(ARGV[1])
      local sums = call('HMGET', L .. ':sums', 'rows', 'bytes')
      local rows, bytes = tonumber(sums[1] or 0), tonumber(sums[2] or 0)
      local since = tonumber(call('GET', L .. ':since') or 0)
      while removed < tonumber(ARGV[4]) do
        local id = call('ZRANGE', L .. ':chunks', 0, 0)[1]
        if not id then break end
        local size = call('HGET', L .. ':sizes', id) or ''
        local ownRows, ownBytes, to = string.match(size, '^(%d+) (%d+) (%d+)$')
        to = tonumber(to or 0)
        if removed >= tonumber(ARGV[5]) and to >= oldest and rows <= maxRows and bytes <= maxBytes then break end
        rows, bytes = rows - (ownRows or 0), bytes - (ownBytes or 0)
        call('DEL', L .. ':' .. id)
        call('HDEL', L .. ':sizes', id)
        call('ZREM', L .. ':chunks', id)
        since = math.max(since, math.min(to, now))
        removed = removed + 1
      end
      if removed == 0 then return {0, rows, bytes} end
      if call('EXISTS', L .. ':chunks') == 0 then rows, bytes = 0, 0 end
      call('HSET', L .. ':sums', 'rows', string.format('%.0f', rows), 'bytes', string.format('%.0f', bytes))
      call('SET', L .. ':since', string.format('%.0f', since))
      local gaps = call('HGETALL', L .. ':gaps')
      for i = 1, #gaps, 2 do
        local hour = gaps[i]
        if tonumber(hour) * 3600000 < since - 3600000 then call('HDEL', L .. ':gaps', hour) end
      end
      return {removed, rows, bytes}`,
  },
  /**
   * Those of the chunks that may hold what is looked for, each followed by fields of it. What a script reads costs Redis two
   * nanoseconds a byte, so that summaries are asked before columns, and nothing is read twice. ARGV: number of fields, their names;
   * bytes that the column `what` must not consist of alone, empty where it does not matter; number of clues; of each the name of its
   * summary, empty where there is none, number of bits, bits of which some that follow each other must be set in the summary, number
   * of values, values of which one must stand in one of the columns, in four bytes, number of columns, columns; then chunks. Each
   * value has as many bits.
   */
  relayLogHolding: {
    numberOfKeys: 1,
    readOnly: true,
    lua: `
      local find, byte, floor, next = string.find, string.byte, math.floor, 0
      local function take()
        next = next + 1
        return ARGV[next]
      end
      local function some()
        local all = {}
        for i = 1, tonumber(take()) do all[i] = take() end
        return all
      end
      local function bytesOf(value)
        local bytes = {}
        for at = 1, 4 do bytes[at], value = value % 256, floor(value / 256) end
        return string.char(unpack(bytes))
      end
      local names, usual, plain, clues, found = some(), take(), {}, {}, {}
      for i = 1, tonumber(take()) do
        local clue = {summary = take(), bytes = {}, powers = {}}
        for at, bit in ipairs(some()) do clue.bytes[at], clue.powers[at] = floor(bit / 8) + 1, 2 ^ (bit % 8) end
        clue.values, clue.columns = some(), some()
        for at, value in ipairs(clue.values) do clue.values[at] = bytesOf(value) end
        clues[i] = clue
      end
      local key, known
      -- Of a chunk that somebody wrote over Redis says an error, which is a table.
      local function read(name)
        local value = redis.pcall('HGET', key, name)
        return type(value) == 'string' and value
      end
      local function field(name)
        known = known or {}
        known[name] = known[name] or read(name) or ''
        return known[name]
      end
      local function excludes(summary, clue)
        local bytes, powers = clue.bytes, clue.powers
        local each = #bytes / #clue.values
        for first = 1, #bytes, each do
          local at, last = first, first + each
          while at < last and floor((byte(summary, bytes[at]) or 255) / powers[at]) % 2 == 1 do at = at + 1 end
          if at == last then return false end
        end
        return true
      end
      local function holds(clue)
        local summary = clue.summary ~= '' and read(clue.summary)
        if summary and excludes(summary, clue) then return false end
        for _, name in ipairs(clue.columns) do
          local column = field(name)
          for _, value in ipairs(clue.values) do
            local at = find(column, value, 1, true)
            while at and at % 4 ~= 1 do at = find(column, value, at + 1, true) end
            if at then return true end
          end
        end
      end
      local function isUnusual(what)
        for i = 1, #usual do
          local all = usual:sub(i, i)
          plain[all .. #what] = plain[all .. #what] or all:rep(#what)
          if what == plain[all .. #what] then return false end
        end
        return find(what, '[^' .. usual .. ']')
      end
      for i = next + 1, #ARGV do
        key, known = KEYS[1] .. ':' .. ARGV[i], nil
        local may = true
        for c = 1, #clues do may = may and holds(clues[c]) end
        if may and usual ~= '' then may = isUnusual(field('what')) end
        if may then
          found[#found + 1] = ARGV[i]
          for _, name in ipairs(names) do found[#found + 1] = field(name) end
        end
      end
      return found`,
  },
  /** Some fields of some chunks; empty where a chunk is gone, or where somebody wrote over it. ARGV: number of fields, their names, chunks. */
  relayLogFields: {
    numberOfKeys: 1,
    readOnly: true,
    lua: `
      local count, names, found = tonumber(ARGV[1]), {}, {}
      for i = 2, 1 + count do names[i - 1] = ARGV[i] end
      for i = 2 + count, #ARGV do
        local values = redis.pcall('HMGET', KEYS[1] .. ':' .. ARGV[i], unpack(names))
        for at = 1, count do found[#found + 1] = values[at] or '' end
      end
      return found`,
  },
} as const satisfies Readonly<Record<string, ScriptDefinition>>;
