import { addingScript, readingScript, script } from './delivery-prelude';

/** The audit: what is counted, and what lies there. */
export const LEDGER_SCRIPTS = {
  /**
   * Deliveries confirmed, and others found needless, while their source message was held.
   * ARGV, for each destination: its key, its id, how many of either.
   */
  relayCount: script(`
    for i = 5, #ARGV, 4 do
      countOf(ARGV[i], 'accepted', ARGV[i + 2] + ARGV[i + 3])
      countOf(ARGV[i], 'delivered', ARGV[i + 2])
      if ARGV[i + 3] ~= '0' then countOf(ARGV[i], 'discarded', ARGV[i + 3]) end
      call('HSETNX', P .. 'destinations', ARGV[i], ARGV[i + 1])
    end
    return 'counted'`),
  /**
   * Whether destinations are to be gone through for those that are no more: when there are this many more than were left last time, and
   * nobody has begun lately. ARGV: how many more, how long nobody else begins.
   */
  relayGoneTurn: script(`
    local grown = call('HLEN', P .. 'destinations') - tonumber(call('GET', P .. 'destinations-left') or 0)
    if grown < tonumber(ARGV[5]) then return 0 end
    return isTurn('destinations-turn', ARGV[6]) and 1 or 0`),
  /** Some of all destinations. ARGV: cursor. Answers with the next one, then key and id of each. */
  relaySomeDestinations: readingScript(`return call('HSCAN', P .. 'destinations', ARGV[5], 'COUNT', 200)`),
  /** All were gone through: how many are left. */
  relayGoneDone: script(`call('SET', P .. 'destinations-left', call('HLEN', P .. 'destinations')) return 1`),
  /**
   * Destinations that are no more: what was counted for them counts for all of these together from now on. One for which something is
   * parked, or a dead letter, stays. Answers with how many went. ARGV: key and name of all of these together, keys.
   */
  relayGone: script(`
    local gone = 0
    local function counted(key, what) return tonumber(call('HGET', KEYS[1], key .. ':' .. what) or 0) end
    for i = 7, #ARGV do
      local key = ARGV[i]
      local delivered, discarded = counted(key, 'delivered'), counted(key, 'discarded')
      if counted(key, 'accepted') == delivered + discarded and not call('ZSCORE', P .. 'share:parked-of', key) then
        countOf(ARGV[5], 'accepted', delivered + discarded)
        countOf(ARGV[5], 'delivered', delivered)
        if discarded > 0 then countOf(ARGV[5], 'discarded', discarded) end
        call('HSETNX', P .. 'destinations', ARGV[5], ARGV[6])
        call('HDEL', KEYS[1], key .. ':accepted', key .. ':delivered', key .. ':discarded')
        call('HDEL', P .. 'destinations', key)
        gone = gone + 1
      end
    end
    return gone`),
  /**
   * One look at everything the audit compares: the counters, parked and dead by destination, names of destinations, and
   * the largest shares of either: owner, parked, their bytes, dead, their bytes. ARGV: how many of each.
   */
  relayAudit: readingScript(`
    local parked, dead = {}, {}
    local function add(into, id)
      local key = string.sub(id, -LENGTH)
      into[key] = (into[key] or 0) + 1
    end
    for _, list in ipairs({'wait', 'paused', 'active'}) do
      for _, id in ipairs(call('LRANGE', Q .. list, 0, -1)) do add(parked, id) end
    end
    for _, set in ipairs({'delayed', 'prioritized'}) do
      for _, id in ipairs(call('ZRANGE', Q .. set, 0, -1)) do add(parked, id) end
    end
    -- The first one of a lane lies in one of those.
    for _, lane in ipairs(call('ZRANGE', P .. 'lanes', 0, -1)) do
      for _, id in ipairs(call('ZRANGE', P .. 'lane:' .. lane, 1, -1)) do add(parked, id) end
    end
    for _, id in ipairs(call('ZRANGE', Q .. 'failed', 0, -1)) do add(dead, id) end
    local function flat(map)
      local result = {}
      for key, value in pairs(map) do
        table.insert(result, key)
        table.insert(result, tostring(value))
      end
      return result
    end
    local owners, shares = {}, {}
    for _, name in ipairs({'parked-bytes', 'dead-bytes'}) do
      for _, owner in ipairs(call('ZREVRANGE', P .. 'share:' .. name, 0, tonumber(ARGV[5]) - 1)) do
        if not owners[owner] then
          owners[owner] = true
          local row = {owner}
          for _, number in ipairs({'parked-count', 'parked-bytes', 'dead-count', 'dead-bytes'}) do
            table.insert(row, call('ZSCORE', P .. 'share:' .. number, owner) or '0')
          end
          table.insert(shares, row)
        end
      end
    end
    return {call('HGETALL', KEYS[1]), flat(parked), flat(dead), call('HGETALL', P .. 'destinations'), shares}`),
  /**
   * Whether this worker is the one that makes the audit now, the difference that was found last, or nothing, and the destinations
   * that differ, in JSON. ARGV: for how long no other one makes it, milliseconds.
   */
  relayAuditTurn: addingScript(`
    local isMine = isTurn('audit-turn', ARGV[5])
    return {isMine and 1 or 0, call('GET', P .. 'audit-difference') or '', call('GET', P .. 'audit-differing') or ''}`),
  /**
   * ARGV: difference, for how long nobody makes another audit, for how long it is known, both in milliseconds; the destinations
   * that differ, in JSON.
   */
  relayAuditFound: addingScript(`
    takeTurn('audit-turn', ARGV[6])
    call('SET', P .. 'audit-difference', ARGV[5], 'PX', ARGV[7])
    call('SET', P .. 'audit-differing', ARGV[8], 'PX', ARGV[7])
    return 1`),
} as const;
