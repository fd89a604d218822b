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
   * Whether this worker is the one that makes the audit now, and the difference that was found last, or nothing. ARGV: for how long no other
   * one makes it, milliseconds.
   */
  relayAuditTurn: addingScript(`
    local isMine = call('SET', P .. 'audit-turn', 1, 'NX', 'PX', ARGV[5])
    return {isMine and 1 or 0, call('GET', P .. 'audit-difference') or ''}`),
  /** ARGV: difference, for how long nobody makes another audit, for how long it is known, both in milliseconds. */
  relayAuditFound: addingScript(`
    call('SET', P .. 'audit-turn', 1, 'PX', ARGV[6])
    call('SET', P .. 'audit-difference', ARGV[5], 'PX', ARGV[7])
    return 1`),
} as const;
