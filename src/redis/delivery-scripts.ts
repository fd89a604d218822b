import { addingScript, script } from './delivery-prelude';

/** What one job takes of Redis beside its data: hash, indexes, lock. */
const OVERHEAD_BYTES = 512;

/** What happens to one stored delivery. */
export const DELIVERY_SCRIPTS = {
  /**
   * Stores a delivery and counts it as accepted; `known` where it is stored already. Beyond its owner's share of parked
   * bytes, or where there is a reason, it is a dead letter at once.
   * ARGV: job id, destination's id, event, data, delay, reason or nothing, owner while parked, owner once dead, most bytes
   * parked for that owner (0: no limit).
   */
  relayPark: addingScript(`
    local id, size = ARGV[5], #ARGV[8] + ${OVERHEAD_BYTES}
    if call('EXISTS', Q .. id) == 1 then return 'known' end
    call('HSET', Q .. id, 'name', ARGV[7], 'data', ARGV[8], 'opts', '{}', 'timestamp', NOW, 'delay', ARGV[9],
      'priority', 0, 'charge', size .. ' ' .. ARGV[12])
    count(id, 'accepted')
    call('HSETNX', P .. 'destinations', string.sub(id, -LENGTH), ARGV[6])
    local reason, limit = ARGV[10], tonumber(ARGV[13])
    if reason == '' and limit > 0 then
      local parked = tonumber(call('ZSCORE', P .. 'share:parked-bytes', ARGV[11]) or 0)
      if parked + size > limit then reason = 'parked-limit' end
    end
    if reason ~= '' then
      enterDead(id, reason)
      return 'dead ' .. reason
    end
    schedule(id, tonumber(ARGV[9]))
    addParked(id, ARGV[11], size)
    return 'parked'`),
  /**
   * The delivery was made, or is needless: that is a fact, whatever became of the job meanwhile. Counts it once.
   * ARGV: job id, \`delivered\` or \`discarded\`.
   */
  relaySettle: script(`
    local id = ARGV[5]
    if not isJob(id) then return 'gone' end
    leaveParked(id)
    leaveDead(id)
    unplace(id)
    erase(id)
    count(id, ARGV[6])
    return 'settled'`),
  /**
   * The worker that holds a job puts it back. ARGV: job id, token, delay, the attempt's line where one was spent, most
   * lines kept.
   */
  relayReturn: script(`
    local id = ARGV[5]
    if not holds(id, ARGV[6]) then return 'lost' end
    letGo(id)
    if ARGV[8] ~= '' then
      note(id, ARGV[8], tonumber(ARGV[9]))
      call('HINCRBY', Q .. id, 'atm', 1)
    end
    -- A person retried a dead letter with a tool of BullMQ.
    forgetDead(id)
    enterParked(id)
    place(id, tonumber(ARGV[7]))
    return 'parked'`),
  /**
   * The worker that holds a job gives it up. ARGV: job id, token, reason, the attempt's line where one was spent, most
   * lines kept.
   */
  relayBury: script(`
    local id = ARGV[5]
    if not holds(id, ARGV[6]) then return 'lost' end
    letGo(id)
    if ARGV[8] ~= '' then
      note(id, ARGV[8], tonumber(ARGV[9]))
      call('HINCRBY', Q .. id, 'atm', 1)
    end
    leaveParked(id)
    enterDead(id, ARGV[7])
    return 'dead ' .. ARGV[7]`),
  /**
   * A slow direct attempt failed after its delivery was stored: nothing changes where a worker took the job since.
   * ARGV: job id, delay, reason to give up or nothing, the attempt's line, most lines kept.
   */
  relayLate: script(`
    local id = ARGV[5]
    -- Due, it lies in \`wait\` until a worker takes it.
    local isParked = call('ZSCORE', Q .. 'delayed', id) or call('LPOS', Q .. 'wait', id)
    if not isParked or not isJob(id) or call('HEXISTS', Q .. id, 'ats') == 1 then return 'gone' end
    note(id, ARGV[8], tonumber(ARGV[9]))
    unplace(id)
    if ARGV[7] == '' then
      place(id, tonumber(ARGV[6]))
      return 'parked'
    end
    leaveParked(id)
    enterDead(id, ARGV[7])
    return 'dead ' .. ARGV[7]`),
} as const;
