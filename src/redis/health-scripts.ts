import { SUSPENDED_MS } from './closed-prelude';
import { readingScript, script } from './delivery-prelude';

/** Later than anything: ten years. */
const NEVER_MS = 315_360_000_000;
/** How soon it may be said again of a destination that it rejects everything: one that takes some events would change all the time. */
const REJECTING_APART_MS = 10_000;
/** Changes that are kept in their order: a worker that missed more reads all there is. */
const MAX_CHANGES = 10_000;

/**
 * What all workers know of destinations that are not well: a hash of records by the destination's key, in JSON, and a sorted
 * set of the latest changes by their number. A destination that is well has no record.
 *
 * One that answers and rejects everything has a record in a hash of its own: nothing that decides on attempts reads it, of
 * whichever version.
 */
const HEALTH = `
  local H, R = P .. 'health', P .. 'rejecting'

  local function changed(key)
    local number = call('INCR', P .. 'health-version')
    call('ZADD', P .. 'health-changes', number, key)
    call('ZREMRANGEBYRANK', P .. 'health-changes', 0, -${MAX_CHANGES + 1})
  end

  local function keep(key, record)
    call('HSET', H, key, cjson.encode(record))
  end

  -- For so many milliseconds from now.
  local function close(record, ms)
    record.forMs, record.untilMs = ms, NOW + ms
  end

  local function waitingOf(key)
    return tonumber(call('ZSCORE', P .. 'share:parked-of', key) or 0)
  end

  local function forget(key)
    if call('HDEL', H, key) == 1 then changed(key) end
  end

  local function rejectionOf(key)
    local ok, record = pcall(cjson.decode, call('HGET', R, key) or '')
    return ok and type(record) == 'table' and record or nil
  end

  local function forgetRejection(key)
    if call('HDEL', R, key) == 0 then return false end
    changed(key)
    return true
  end
`;

/** Health of destinations. Times are those of Redis; answers say how long from now. */
export const HEALTH_SCRIPTS = {
  /**
   * What changed since a version: the version now, 1 where that is all there is and not only what changed, then for each its
   * key, its record or nothing, how long it stays closed to attempts, and the record of one that rejects everything or
   * nothing. ARGV: version.
   */
  relayHealthSince: readingScript(`${HEALTH}
    local since, version = tonumber(ARGV[5]), tonumber(call('GET', P .. 'health-version') or 0)
    if since == version then return {version, 0} end
    local keys, isAll = nil, 1
    if since >= 0 and since < version and version - since <= ${MAX_CHANGES} then
      keys, isAll = call('ZRANGEBYSCORE', P .. 'health-changes', '(' .. since, '+inf'), 0
    else
      keys = call('HKEYS', H)
      for _, key in ipairs(call('HKEYS', R)) do
        if call('HEXISTS', H, key) == 0 then table.insert(keys, key) end
      end
    end
    local reply = {version, isAll}
    for _, key in ipairs(keys) do
      local record = recordOf(key)
      table.insert(reply, key)
      table.insert(reply, record and cjson.encode(record) or '')
      table.insert(reply, record and leftOf(record) or 0)
      table.insert(reply, call('HGET', R, key) or '')
    end
    return reply`),
  /**
   * A worker's circuit opened, or stays open. What a person suspended stays as it is. Answers with the state, how long it
   * lasts, what it was before or nothing, and how many deliveries wait.
   * ARGV: key, id, how long it stays open, for how long nothing succeeded, after how long of that it is suspended (0: never),
   * code or nothing, status, 1 where the destination says that it is gone, address as it may be shown, its fingerprint.
   */
  relayUnwell: script(`${HEALTH}
    local key = ARGV[5]
    local record = recordOf(key)
    local before = record and record.state or ''
    record = record or {id = ARGV[6], state = 'failing', since = NOW - tonumber(ARGV[8])}
    if record.by == 'person' then return {record.state, leftOf(record), before, 0} end
    local suspendAfter = tonumber(ARGV[9])
    if ARGV[10] ~= '' then record.code, record.status = ARGV[10], tonumber(ARGV[11]) end
    if ARGV[12] == '1' then record.state, record.by = 'suspended', 'gone'
    elseif suspendAfter > 0 and NOW - record.since >= suspendAfter then
      record.state, record.by = 'suspended', record.by or 'time'
    end
    record.at = NOW
    close(record, record.state == 'suspended' and ${SUSPENDED_MS} or tonumber(ARGV[7]))
    record.address, record.print, record.claim = ARGV[13], ARGV[14], nil
    keep(key, record)
    changed(key)
    turn(key, record.untilMs)
    return {record.state, leftOf(record), before, waitingOf(key)}`),
  /**
   * The attempt that a worker was chosen for succeeded, or a person or a changed address ends it. Answers with 1, for how long it
   * was not well, what it was, how many deliveries wait; or 0 where there is nothing to end.
   * ARGV: key, 1 where what a person suspended ends, too, and that it rejected everything.
   */
  relayWell: script(`${HEALTH}
    local key = ARGV[5]
    if ARGV[6] == '1' then forgetRejection(key) end
    local record = recordOf(key)
    if not record then return {0} end
    if record.by == 'person' and ARGV[6] ~= '1' then return {0, leftOf(record)} end
    forget(key)
    turn(key, NOW)
    return {1, math.max(0, NOW - (record.since or NOW)), record.state, waitingOf(key)}`),
  /**
   * One that fails has another address: an attempt is let through now, and only its success lets others follow. Suspended ones stay so.
   * Answers with its state or nothing, and how long that lasts. ARGV: key, its address as it may be shown, its fingerprint.
   */
  relayMoved: script(`${HEALTH}
    local key = ARGV[5]
    local record = recordOf(key)
    if not record then return {'', 0} end
    if record.state == 'failing' and record.print ~= ARGV[7] then
      record.address, record.print, record.claim = ARGV[6], ARGV[7], nil
      close(record, 0)
      keep(key, record)
      changed(key)
      turn(key, NOW)
    end
    return {record.state, leftOf(record)}`),
  /**
   * Whether a worker may let one attempt through: 0 it may, -1 the destination is well, else how long to wait. The claim of one
   * that has it already is extended, that of one that is gone counts no more. ARGV: key, worker, how long the claim lasts.
   */
  relayClaimProbe: script(`${HEALTH}
    local record = recordOf(ARGV[5])
    if not record then return -1 end
    if leftOf(record) > 0 then return leftOf(record) end
    local claim = record.claim
    if claim and call('ZSCORE', P .. 'gone', claim.by) then claim = nil end
    local claimedFor = claim and claim.by ~= ARGV[6] and math.ceil(claim.untilMs - NOW) or 0
    -- For longer than it was claimed for: the clock of Redis was set back.
    if claimedFor > 0 and claimedFor <= (tonumber(claim.forMs) or claimedFor) then return claimedFor end
    record.claim = {by = ARGV[6]}
    close(record.claim, tonumber(ARGV[7]))
    keep(ARGV[5], record)
    return 0`),
  /**
   * A worker's attempts at a destination were rejected over and over, and none was delivered. Says nothing to anything that
   * makes attempts. Answers with 1 where no worker had found out before, and with the record; or with 0 and the record or
   * nothing where a worker has just said so.
   * ARGV: key, id, for how long, code, status, address as it may be shown, its fingerprint.
   */
  relayRejecting: script(`${HEALTH}
    local key, print = ARGV[5], ARGV[11]
    if not isTurn('rejecting-said:' .. key, ${REJECTING_APART_MS}) then
      return {0, call('HGET', R, key) or ''}
    end
    local before = rejectionOf(key)
    local since = before and before.print == print and tonumber(before.since) or NOW - tonumber(ARGV[7])
    local record = cjson.encode({id = ARGV[6], state = 'rejecting', since = since, code = ARGV[8],
      status = tonumber(ARGV[9]), address = ARGV[10], print = print})
    call('HSET', R, key, record)
    changed(key)
    return {before and 0 or 1, record}`),
  /**
   * It took a delivery, has another address or is removed. Answers with 1 and for how long it rejected everything; or 0 where
   * another worker has ended it. ARGV: key.
   */
  relayRejectingOver: script(`${HEALTH}
    local record = rejectionOf(ARGV[5])
    if not forgetRejection(ARGV[5]) then return {0} end
    return {1, math.max(0, NOW - (record and tonumber(record.since) or NOW))}`),
  /**
   * For people: ids of destinations, records of those that are not well, how many deliveries are parked, records of those that
   * reject everything; each by key.
   */
  relayDestinations: readingScript(`
    return {call('HGETALL', P .. 'destinations'), call('HGETALL', P .. 'health'),
      call('ZRANGE', P .. 'share:parked-of', 0, -1, 'WITHSCORES'), call('HGETALL', P .. 'rejecting')}`),
  /** When the oldest delivery of each line was parked, or nothing. ARGV: keys. */
  relayOldestOf: readingScript(`
    local times = {}
    for i = 5, #ARGV do times[i - 4] = call('ZRANGE', P .. 'line:' .. ARGV[i], 0, 0, 'WITHSCORES')[2] or '' end
    return times`),
  /**
   * How many deliveries wait for destinations, where it is time to say so and no other worker has just done it.
   * ARGV: least milliseconds between two times, keys.
   */
  relayHealthSummary: script(`${HEALTH}
    if not isTurn('health-told', ARGV[5]) then return -1 end
    local waiting = 0
    for i = 6, #ARGV do waiting = waiting + waitingOf(ARGV[i]) end
    return waiting`),
  /** A person suspends a destination. ARGV: key, id. */
  relaySuspend: script(`${HEALTH}
    local record = recordOf(ARGV[5]) or {id = ARGV[6], since = NOW}
    record.state, record.by, record.at, record.claim = 'suspended', 'person', NOW, nil
    close(record, ${NEVER_MS})
    keep(ARGV[5], record)
    changed(ARGV[5])
    turn(ARGV[5], record.untilMs)
    call('HSETNX', P .. 'destinations', ARGV[5], ARGV[6])
    return {record.state, leftOf(record), '', waitingOf(ARGV[5])}`),
} as const;
