import { addingScript, script } from './delivery-prelude';
import { SUPERSEDE } from './supersede-script';

/** What one job takes of Redis beside its data: hash, indexes, lock. */
const OVERHEAD_BYTES = 512;

/** What is stored of each delivery, as arguments. */
const ENTRY_ARGUMENTS = 10;

/**
 * `storeNew`: the delivery whose arguments begin at `i`; what became of it. What is in a lane replaces nothing, and nothing
 * replaces it. Needs SUPERSEDE.
 */
const STORE = `
  local function storeNew(i, lane, gap, text, slow)
    local id, data, reason = ARGV[i], ARGV[i + 3], ARGV[i + 5]
    local parkedBy, limit, size = ARGV[i + 6], tonumber(ARGV[i + 8]), #data + ${OVERHEAD_BYTES}
    if call('EXISTS', Q .. id) == 1 then return 'known' end
    local delay = tonumber(ARGV[i + 4])
    local older, newest = supersede(lane == '' and text or '')
    if reason == '' and limit > 0 then
      local parked = tonumber(call('ZSCORE', P .. 'share:parked-bytes', parkedBy) or 0)
      if parked + size > limit then reason = 'parked-limit' end
    end
    if older and slow == '' then delay = delayInPlaceOf(older, delay) end
    local isInLine = delay < 0
    if isInLine then delay = LINE_MS end
    -- The index first: whatever fails later, a record is found by it.
    call('ZADD', P .. 'parked', 'NX', EXACT_NOW, id)
    local isFirst = true
    if lane ~= '' and reason == '' then isFirst = enterLane(lane, id) end
    if lane ~= '' and gap == '' then gap = call('GET', P .. 'lane-gap:' .. lane) or '' end
    call('HSET', Q .. id, 'name', ARGV[i + 2], 'data', data, 'opts', gap == '' and '{}' or '{"gap":"' .. gap .. '"}',
      'timestamp', NOW, 'delay', delay, 'priority', 0, 'charge', size .. ' ' .. ARGV[i + 7])
    if lane ~= '' and reason == '' then call('HSET', Q .. id, 'lane', lane) end
    count(id, 'accepted')
    if older then call('HSET', Q .. id, 'rank', older.rank) end
    if reason ~= '' then enterDead(id, reason)
    elseif isFirst then
      if isInLine then enterLine(id) end
      schedule(id, delay)
    end
    if slow ~= '' then enterSlow(id, slow, delay) end
    if newest then becomeNewest(newest, id, text) end
    call('HSETNX', P .. 'destinations', string.sub(id, -LENGTH), ARGV[i + 1])
    if lane ~= '' and reason ~= '' then tellGap(lane, id)
    elseif gap ~= '' then forgetGap(lane) end
    if reason == '' then
      chargeParked(parkedBy, size)
      countParked(id, 1)
      -- Whoever parks is alive (address-scripts.ts).
      if ARGV[i + 9] ~= '' then call('ZADD', P .. 'addresses', 'NX', NOW, ARGV[i + 1] .. ' ' .. ARGV[i + 9]) end
      return older and 'parked newer' or 'parked'
    end
    call('ZREM', P .. 'parked', id)
    chargeDead(id)
    return 'dead ' .. reason
  end`;

/** What happens to one stored delivery. */
export const DELIVERY_SCRIPTS = {
  /**
   * Stores a delivery and counts it as accepted; `known` where it is stored already. Beyond its owner's share of parked
   * bytes, or where there is a reason, it is a dead letter at once.
   * ARGV: job id, destination's id, event, data, delay (below 0: it waits in its destination's line), reason or nothing, owner
   * while parked, owner once dead, most bytes parked for that owner (0: no limit), fingerprint of the address or nothing; of an
   * ordered destination the lane, and the delivery before it that was given up on or nothing; what it makes needless
   * (supersede-script.ts) or nothing, the worker that has its request under way or nothing. Answers `parked newer` where it took the place of
   * an older one.
   */
  relayPark: addingScript(`
    ${SUPERSEDE}
    ${STORE}
    return storeNew(5, ARGV[15] or '', ARGV[16] or '', ARGV[17] or '', ARGV[18] or '')`),
  /**
   * Stores deliveries of one lane behind what lies there: what became of each, and the one that the next is told was given up
   * on. The first that finds the lane empty is \`direct\`, unless all are to be stored; those behind it are not looked at.
   * ARGV: lane, 1 where all are to be stored, then the first ten of relayPark for each.
   */
  relayAppend: addingScript(`
    ${SUPERSEDE}
    ${STORE}
    local lane, answers = ARGV[5], {}
    for i = 7, #ARGV, ${ENTRY_ARGUMENTS} do
      local answer = 'direct'
      if ARGV[6] == '1' or isJob(ARGV[i]) or call('ZCARD', P .. 'lane:' .. lane) > 0 then
        answer = storeNew(i, lane, '', '', '')
      end
      table.insert(answers, answer)
      if answer == 'direct' then break end
    end
    table.insert(answers, call('GET', P .. 'lane-gap:' .. lane) or '')
    return answers`),
  /**
   * Deliveries were made, or are needless: that is a fact, whatever became of their jobs meanwhile. Counts each once.
   * ARGV: job id, \`delivered\` or \`discarded\`, for each. Answers with what became of it; of several with a list, in which one that
   * cannot be settled, as a key of its is of another type, is \`refused\`: that answer is kept (once.ts), as whoever does not hear of it
   * would have to settle all of them again, among them copies that were stored under the same ids meanwhile.
   */
  relaySettle: script(`
    local function settle(id, how)
      if not isJob(id) then return 'gone' end
      local owner, _, size = charge(id)
      leaveLane(id, laneOf(id), false)
      leaveDead(id)
      unplace(id)
      leaveSlow(id)
      erase(id)
      count(id, how)
      leaveParkedOf(id, owner, size)
      return 'settled'
    end
    if #ARGV == 6 then return settle(ARGV[5], ARGV[6]) end
    local answers, isAnyRefused = {}, false
    for i = 5, #ARGV, 2 do
      local isSettled, answer = pcall(settle, ARGV[i], ARGV[i + 1])
      isAnyRefused = isAnyRefused or not isSettled
      table.insert(answers, isSettled and answer or 'refused')
    end
    return answers, isAnyRefused`),
  /**
   * The worker that holds a job puts it back. ARGV: job id, token, delay (as above), the attempt's line where one was spent, most
   * lines kept, the worker that has its request under way or nothing.
   */
  relayReturn: script(`
    local id = ARGV[5]
    if not holds(id, ARGV[6]) then return 'lost' end
    enterParked(id)
    place(id, tonumber(ARGV[7]))
    leaveSlow(id)
    if ARGV[10] ~= '' then enterSlow(id, ARGV[10], tonumber(ARGV[7])) end
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
      leaveSlow(id)
      if not isDelayed then call('LREM', Q .. 'wait', 1, id) end
      noteLate(id, ARGV[8], tonumber(ARGV[9]), wasTaken)
      return 'parked'
    end
    enterDead(id, ARGV[7])
    unplace(id)
    leaveSlow(id)
    noteLate(id, ARGV[8], tonumber(ARGV[9]), wasTaken)
    chargeDead(id)
    leaveParked(id)
    return 'dead ' .. ARGV[7]`),
} as const;
