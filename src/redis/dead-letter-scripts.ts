import { readingScript, script } from './delivery-prelude';

/** What a person, or time, does with dead letters. */
export const DEAD_LETTER_SCRIPTS = {
  /** Parks a dead letter again, with all its attempts before it. ARGV: job id. */
  relayReplay: script(`
    local id = ARGV[5]
    if not call('ZSCORE', Q .. 'failed', id) or not isJob(id) then return 'not-found' end
    if call('HGET', Q .. id, 'failedReason') == 'malformed' then return 'malformed' end
    call('HDEL', Q .. id, 'processedOn', 'stacktrace', 'atm', 'ats', 'stc')
    call('HSET', Q .. id, 'opts', '{"spent":0}')
    enterParked(id)
    place(id, 0)
    leaveDead(id)
    call('HDEL', Q .. id, 'failedReason', 'finishedOn')
    return 'replayed'`),
  /** A dead letter is removed for good. ARGV: job id. */
  relayDiscard: script(`
    if not call('ZSCORE', Q .. 'failed', ARGV[5]) then return 0 end
    discard(ARGV[5])
    return 1`),
  /**
   * Dead letters that are too old are removed for good, and those beyond the count: the oldest of the owner that has most.
   * ARGV: age, most that may stay, most to remove now.
   */
  relayExpire: script(`
    local limit, removed = tonumber(ARGV[7]), 0
    local old = call('ZRANGEBYSCORE', Q .. 'failed', '-inf', '(' .. string.format('%.0f', NOW - tonumber(ARGV[5])),
      'LIMIT', 0, limit)
    for _, id in ipairs(old) do
      discard(id)
      removed = removed + 1
    end
    local excess = call('ZCARD', Q .. 'failed') - tonumber(ARGV[6])
    while excess > 0 and removed < limit do
      local owner = call('ZREVRANGE', P .. 'share:dead-count', 0, 0)[1]
      local id = owner and call('ZRANGE', P .. 'dead:' .. owner, 0, 0)[1]
      if id then discardOf(owner, id)
      else
        -- Those of older versions are charged to nobody.
        if owner then call('ZREM', P .. 'share:dead-count', owner) end
        discard(call('ZRANGE', Q .. 'failed', 0, 0)[1])
      end
      removed = removed + 1
      excess = call('ZCARD', Q .. 'failed') - tonumber(ARGV[6])
    end
    -- Limits that became smaller since; one that is larger than its owner's share stays.
    for _, name in ipairs({'dead-count', 'dead-bytes'}) do
      for _, owner in ipairs(call('ZREVRANGE', P .. 'share:' .. name, 0, 99)) do
        local key = P .. 'dead:' .. owner
        while removed < limit and isOverShare(owner) and call('ZCARD', key) > 1 do
          discardOf(owner, call('ZRANGE', key, 0, 0)[1])
          removed = removed + 1
        end
      end
    end
    return removed`),
  /**
   * Dead letters as they lie there: data, reason, time, destination's id. An empty entry where there is none of that id.
   * ARGV: job ids.
   */
  relayLetters: readingScript(`
    local letters = {}
    for i = 5, #ARGV do
      local at = call('ZSCORE', Q .. 'failed', ARGV[i])
      local found = at and (isJob(ARGV[i]) and call('HMGET', Q .. ARGV[i], 'data', 'failedReason', 'finishedOn') or {})
      if found then
        letters[i - 4] = {found[1] or '', found[2] or '', found[3] or at,
          call('HGET', P .. 'destinations', string.sub(ARGV[i], -LENGTH)) or ''}
      else letters[i - 4] = {} end
    end
    return letters`),
  /** Where deliveries lie now: `parked`, `dead` and why, or nothing. ARGV: job ids. */
  relayStates: readingScript(`
    local states = {}
    for i = 5, #ARGV do
      local id = ARGV[i]
      if not isJob(id) then states[i - 4] = ''
      elseif call('ZSCORE', Q .. 'failed', id) then
        states[i - 4] = 'dead ' .. (call('HGET', Q .. id, 'failedReason') or '')
      else states[i - 4] = 'parked' end
    end
    return states`),
  /** What is stored of a delivery, wherever it lies. ARGV: job id. */
  relayData: readingScript(`return isJob(ARGV[5]) and call('HGET', Q .. ARGV[5], 'data') or ''`),
  /**
   * What was stored last for events of an instance: where it has a dead letter the newest, otherwise one of the parked
   * deliveries that were stored last. State and data; an empty answer where there is none.
   * ARGV: parked deliveries to look at, owners that the instance's deliveries are charged to.
   */
  relayRecent: readingScript(`
    local owners = {}
    for i = 6, #ARGV do
      owners[ARGV[i]] = true
      local id = call('ZREVRANGE', P .. 'dead:' .. ARGV[i], 0, 0)[1]
      local data = id and isJob(id) and call('HGET', Q .. id, 'data')
      if data then return {'dead', data} end
    end
    for _, id in ipairs(call('ZREVRANGE', P .. 'parked', 0, tonumber(ARGV[5]) - 1)) do
      local _, owner = charge(id)
      if owners[owner] then return {'parked', call('HGET', Q .. id, 'data')} end
    end
    return {}`),
  /**
   * Parked deliveries, newest first: id, time of parking, data, attempts since, due time or nothing, destination's id, last
   * line of the log, 1 where it waits behind others of its lane. What waits in the line of its destination is due.
   * ARGV: time to begin at, how many of that time to leave out, how many at most.
   */
  relayParked: readingScript(`
    local page = call('ZREVRANGEBYSCORE', P .. 'parked', ARGV[5], '-inf', 'WITHSCORES', 'LIMIT', ARGV[6], ARGV[7])
    local parked = {}
    for i = 1, #page, 2 do
      local id = page[i]
      local found = isJob(id) and call('HMGET', Q .. id, 'data', 'atm') or {}
      local due = not call('ZSCORE', lineOf(id), id) and call('ZSCORE', Q .. 'delayed', id)
      parked[#parked + 1] = {id, page[i + 1], found[1] or '', found[2] or '0',
        due and string.format('%.0f', math.floor(tonumber(due) / 0x1000)) or '',
        call('HGET', P .. 'destinations', string.sub(id, -LENGTH)) or '',
        call('LINDEX', Q .. id .. ':logs', -1) or '', isBehind(id) and 1 or 0}
    end
    return parked`),
  /**
   * A page of dead letters by the time at which they died: id and time of each. Those that died in the same moment are in the
   * order of their ids. ARGV: time and id behind which it begins, time at which it ends, most.
   */
  relayDeadPage: readingScript(`
    local from, after, most = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[8])
    local page, offset = {}, 0
    while #page < 2 * most do
      local found = call('ZRANGEBYSCORE', Q .. 'failed', ARGV[5], ARGV[7], 'WITHSCORES', 'LIMIT', offset, most)
      for i = 1, #found, 2 do
        if #page < 2 * most and (tonumber(found[i + 1]) > from or found[i] > after) then
          table.insert(page, found[i])
          table.insert(page, found[i + 1])
        end
      end
      if #found < 2 * most then break end
      offset = offset + most
    end
    return page`),
  /** How many deliveries are parked for each owner. ARGV: owners. */
  relayParkedCounts: readingScript(`
    local counts = {}
    for i = 5, #ARGV do counts[i - 4] = call('ZSCORE', P .. 'share:parked-count', ARGV[i]) or '0' end
    return counts`),
} as const;
