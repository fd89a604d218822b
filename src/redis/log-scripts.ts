import type { ScriptDefinition } from './relay-redis';

/** What a chunk takes of Redis beside its values: the hash, its fields, its places in the indexes. */
const CHUNK_BYTES = 1500;
/** The same for a body within a chunk. */
const BODY_BYTES = 100;

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
   * were skipped before, how many those are, number of columns, name and bytes of each, then name and bytes of each body.
   */
  relayLogWrite: {
    numberOfKeys: 1,
    lua: `
      local call, L, id = redis.call, KEYS[1], ARGV[1]
      local key, columns = L .. ':' .. id, tonumber(ARGV[8])
      local bytes = call('EXISTS', key) == 0 and ${CHUNK_BYTES} or 0
      for i = 9, 8 + 2 * columns, 2 do
        local value = ARGV[i + 1]
        call('HSET', key, ARGV[i], (call('HGET', key, ARGV[i]) or '') .. value)
        bytes = bytes + #value
      end
      for i = 9 + 2 * columns, #ARGV, 2 do
        if call('HSETNX', key, ARGV[i], ARGV[i + 1]) == 1 then bytes = bytes + #ARGV[i + 1] + ${BODY_BYTES} end
      end
      call('PEXPIRE', key, ARGV[5])
      call('SET', L .. ':since', ARGV[2], 'NX')
      call('ZADD', L .. ':chunks', 'NX', ARGV[2], id)
      local rows, size = string.match(call('HGET', L .. ':sizes', id) or '0 0', '^(%d+) (%d+)')
      call('HSET', L .. ':sizes', id,
        string.format('%.0f %.0f ', rows + ARGV[4], size + bytes) .. ARGV[3])
      if ARGV[7] ~= '0' then call('HINCRBY', L .. ':gaps', ARGV[6], ARGV[7]) end
      return {call('HINCRBY', L .. ':sums', 'rows', ARGV[4]), call('HINCRBY', L .. ':sums', 'bytes', bytes)}`,
  },
  /**
   * Removes the oldest chunks: those that are too old, and as many as there are too many rows or bytes. Answers with the
   * number of chunks removed, then rows and bytes of those that stay.
   * ARGV: time before which everything goes, most rows, most bytes, most chunks to remove now, least chunks to remove.
   */
  relayLogTrim: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      local call, L, removed = redis.call, KEYS[1], 0
      local oldest, maxRows, maxBytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
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
        since = math.max(since, to)
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
   * Those of the chunks that may hold what is looked for, so that the columns of all others stay where they are. ARGV: pattern that
   * the column `what` matches, empty where it does not matter; number of clues; of each the number of values, values of four bytes
   * of which one must stand in one of the columns, number of columns, columns; then chunks.
   */
  relayLogHolding: {
    numberOfKeys: 1,
    readOnly: true,
    lua: `
      local clues, holding, next = {}, {}, 2
      local function take()
        next = next + 1
        return ARGV[next - 1]
      end
      local function some()
        local all = {}
        for i = 1, tonumber(take()) do all[i] = take() end
        return all
      end
      for i = 1, tonumber(take()) do clues[i] = {values = some(), columns = some()} end
      local function holds(key, clue)
        for _, column in ipairs(redis.call('HMGET', key, unpack(clue.columns))) do
          for _, value in ipairs(clue.values) do
            local at = string.find(column or '', value, 1, true)
            while at and at % 4 ~= 1 do at = string.find(column, value, at + 1, true) end
            if at then return true end
          end
        end
      end
      for i = next, #ARGV do
        local key, may = KEYS[1] .. ':' .. ARGV[i], true
        for _, clue in ipairs(clues) do may = may and holds(key, clue) end
        if may and ARGV[1] ~= '' then may = string.find(redis.call('HGET', key, 'what') or '', ARGV[1]) end
        if may then holding[#holding + 1] = ARGV[i] end
      end
      return holding`,
  },
  /** Some fields of some chunks; empty where a chunk is gone. ARGV: number of fields, their names, chunks. */
  relayLogFields: {
    numberOfKeys: 1,
    readOnly: true,
    lua: `
      local count, names, found = tonumber(ARGV[1]), {}, {}
      for i = 2, 1 + count do names[i - 1] = ARGV[i] end
      for i = 2 + count, #ARGV do
        for _, value in ipairs(redis.call('HMGET', KEYS[1] .. ':' .. ARGV[i], unpack(names))) do
          found[#found + 1] = value or ''
        end
      end
      return found`,
  },
} as const satisfies Readonly<Record<string, ScriptDefinition>>;
