import { addingScript, script } from './delivery-prelude';
import { SUPERSEDE } from './supersede-script';

/** What one job takes of Redis beside its data: hash, indexes, lock. */
const OVERHEAD_BYTES = 512;

/** What happens to one stored delivery. */
export const DELIVERY_SCRIPTS = {
  /**
   * Stores a delivery and counts it as accepted; `known` where it is stored already. Beyond its owner's share of parked
   * bytes, or where there is a reason, it is a dead letter at once.
   * ARGV: job id, destination's id, event, data, delay (below 0: it waits in its destination's line), reason or nothing, owner while
   * parked, owner once dead, most bytes parked for that owner (0: no limit), fingerprint of the address or nothing,
   * what it makes needless (supersede-script.ts) or nothing, `slow` where its request is under way. Answers `parked newer` where it
   * took the place of an older one.
   */
  relayPark: addingScript(`
    ${SUPERSEDE}
    local id, size = ARGV[5], #ARGV[8] + ${OVERHEAD_BYTES}
    if call('EXISTS', Q .. id) == 1 then return 'known' end
    local delay, reason, limit = tonumber(ARGV[9]), ARGV[10], tonumber(ARGV[13])
    local older, newest = supersede(ARGV[15])
    if reason == '' and limit > 0 then
      local parked = tonumber(call('ZSCORE', P .. 'share:parked-bytes', ARGV[11]) or 0)
      if parked + size > limit then reason = 'parked-limit' end
    end
    if older and ARGV[16] == '' then delay = delayInPlaceOf(older, delay) end
    local isInLine = delay < 0
    if isInLine then delay = LINE_MS end
    -- The index first: whatever fails later, a record is found by it.
    call('ZADD', P .. 'parked', 'NX', EXACT_NOW, id)
    call('HSET', Q .. id, 'name', ARGV[7], 'data', ARGV[8], 'opts', '{}', 'timestamp', NOW, 'delay', delay,
      'priority', 0, 'charge', size .. ' ' .. ARGV[12])
    count(id, 'accepted')
    if older then call('HSET', Q .. id, 'rank', older.rank) end
    if reason == '' then
      if isInLine then enterLine(id) end
      schedule(id, delay)
    else enterDead(id, reason) end
    if ARGV[16] ~= '' then call('HSET', Q .. id, 'slow', 1) end
    if newest then becomeNewest(newest, id, ARGV[15]) end
    call('HSETNX', P .. 'destinations', string.sub(id, -LENGTH), ARGV[6])
    if reason == '' then
      chargeParked(ARGV[11], size)
      countParked(id, 1)
      -- Whoever parks is alive (address-scripts.ts).
      if ARGV[14] ~= '' then call('ZADD', P .. 'addresses', 'NX', NOW, ARGV[6] .. ' ' .. ARGV[14]) end
      return older and 'parked newer' or 'parked'
    end
    call('ZREM', P .. 'parked', id)
    chargeDead(id)
    return 'dead ' .. reason`),
  /**
   * The delivery was made, or is needless: that is a fact, whatever became of the job meanwhile. Counts it once.
   * ARGV: job id, \`delivered\` or \`discarded\`.
   */
  relaySettle: script(`
    local id = ARGV[5]
    if not isJob(id) then return 'gone' end
    local owner, _, size = charge(id)
    leaveDead(id)
    unplace(id)
    erase(id)
    count(id, ARGV[6])
    leaveParkedOf(id, owner, size)
    return 'settled'`),
  /**
   * The worker that holds a job puts it back. ARGV: job id, token, delay (as above), the attempt's line where one was spent, most
   * lines kept, `slow` where its request is under way.
   */
  relayReturn: script(`
    local id = ARGV[5]
    if not holds(id, ARGV[6]) then return 'lost' end
    enterParked(id)
    place(id, tonumber(ARGV[7]))
    if ARGV[10] == 'slow' then call('HSET', Q .. id, 'slow', 1) else call('HDEL', Q .. id, 'slow') end
    call('LREM', Q .. 'active', 1, id)
    -- A person retried a dead letter with a tool of BullMQ.
    leaveDead(id)
    spend(id, ARGV[8], tonumber(ARGV[9]))
    letGo(id)
    return 'parked'`),
  /**
   * The worker that holds a job gives it up. ARGV: job id, token, reason, the attempt's line where one was spent, most
   * lines kept.
   */
  relayBury: script(`
    local id = ARGV[5]
    if not holds(id, ARGV[6]) then return 'lost' end
    enterDead(id, ARGV[7])
    call('LREM', Q .. 'active', 1, id)
    spend(id, ARGV[8], tonumber(ARGV[9]))
    chargeDead(id)
    leaveParked(id)
    letGo(id)
    return 'dead ' .. ARGV[7]`),
  /**
   * A slow attempt failed after its delivery was stored, or put back: nothing changes where a worker took the job since.
   * ARGV: job id, delay, reason to give up or nothing, the attempt's line, most lines kept, how often workers had taken the
   * job before; 0 is a direct attempt, which was counted when its delivery was stored.
   */
  relayLate: script(`
    local id = ARGV[5]
    -- Due, it lies in \`wait\` until a worker takes it.
    local isDelayed = call('ZSCORE', Q .. 'delayed', id)
    local isParked = isDelayed or call('LPOS', Q .. 'wait', id)
    local wasTaken = tonumber(ARGV[10])
    if not isParked or not isJob(id) then return 'gone' end
    if tonumber(call('HGET', Q .. id, 'ats') or 0) ~= wasTaken then return 'gone' end
    if ARGV[7] == '' then
      place(id, tonumber(ARGV[6]))
      call('HDEL', Q .. id, 'slow')
      if not isDelayed then call('LREM', Q .. 'wait', 1, id) end
      noteLate(id, ARGV[8], tonumber(ARGV[9]), wasTaken)
      return 'parked'
    end
    enterDead(id, ARGV[7])
    unplace(id)
    noteLate(id, ARGV[8], tonumber(ARGV[9]), wasTaken)
    chargeDead(id)
    leaveParked(id)
    return 'dead ' .. ARGV[7]`),
} as const;
