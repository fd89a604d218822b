import { ADDRESS_SCRIPTS } from './address-scripts';
import { readingScript, script } from './delivery-prelude';
import { MEND } from './mend-script';

const EXPIRE = `
  local function expire(id, gone)
    local event = call('HGET', Q .. id, 'name') or ''
    enterDead(id, 'expired')
    call('ZREM', Q .. 'delayed', id)
    chargeDead(id)
    leaveParked(id)
    table.insert(gone, call('HGET', P .. 'destinations', string.sub(id, -LENGTH)) or '')
    table.insert(gone, event)
  end`;

/** The stored deliveries together, beside what BullMQ does: fetching, locking, and what dead workers held. */
export const QUEUE_SCRIPTS = {
  /**
   * How much is to be fetched from BullMQ now: milliseconds until more is due (-1: nothing is stored), how many of what is
   * due fit, and ids that were found to have no record. What is fetched is decided by BullMQ, a moment later.
   * ARGV: most jobs, bytes after which no more fit.
   */
  relayNext: script(`
    local most, mostBytes, fit, bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), 0, 0
    local function look(ids)
      for _, id in ipairs(ids) do
        if fit >= most or bytes >= mostBytes then return end
        fit = fit + 1
        if isJob(id) then bytes = bytes + call('HSTRLEN', Q .. id, 'data') end
      end
    end
    local waiting = call('LRANGE', Q .. 'wait', -most, -1)
    local reversed = {}
    for i = #waiting, 1, -1 do table.insert(reversed, waiting[i]) end
    look(reversed)
    look(call('ZRANGE', Q .. 'prioritized', 0, most - 1))
    look(call('ZRANGEBYSCORE', Q .. 'delayed', '-inf', (NOW + 1) * 0x1000 - 1, 'LIMIT', 0, most))
    local nextDue = call('ZRANGE', Q .. 'delayed', 0, 0, 'WITHSCORES')[2]
    local nextIn = -1
    if nextDue then nextIn = math.max(0, math.floor(tonumber(nextDue) / 0x1000) - NOW) end
    local missing = call('SRANDMEMBER', Q .. 'missing', 100)
    for _, id in ipairs(missing) do
      call('ZREM', P .. 'parked', id)
      call('SREM', Q .. 'missing', id)
    end
    return {nextIn, fit, missing}`),
  /**
   * What a fetch locked whose answer could not be read: its id, data, attempts made, options, how often it was taken; or
   * nothing. ARGV: token.
   */
  relayHeldBy: readingScript(`
    for _, id in ipairs(call('LRANGE', Q .. 'active', 0, -1)) do
      if holds(id, ARGV[5]) then
        local found = call('HMGET', Q .. id, 'data', 'atm', 'opts', 'ats')
        return {id, found[1] or '', found[2] or '0', found[3] or '', found[4] or '0'}
      end
    end
    return {}`),
  /**
   * Sets locks again that BullMQ did not extend as they had run out, where nobody took the job meanwhile. Answers with the
   * ids of those that are lost. ARGV: how long the locks last, then id and token of each; a token is the name of the worker
   * and a number.
   */
  relayHold: script(`
    local lost = {}
    for i = 6, #ARGV, 2 do
      local id, token = ARGV[i], ARGV[i + 1]
      local holder = call('GET', Q .. id .. ':lock')
      local isOurs = holder == token
      if not holder then
        isOurs = isJob(id) and call('HGET', Q .. id, 'pb') == string.match(token, '^(.*):')
          and call('LPOS', Q .. 'active', id) ~= false
      end
      if isOurs then
        call('SET', Q .. id .. ':lock', token, 'PX', ARGV[5])
        call('SREM', Q .. 'stalled', id)
      else table.insert(lost, id) end
    end
    return lost`),
  /**
   * Brings forward what is due later than its own delay allows, as a wrong clock has it: how many, -1 where somebody did it
   * a moment ago. ARGV: least milliseconds between two looks, most to bring forward.
   */
  relayBringForward: script(`
    if not call('SET', P .. 'looked', NOW, 'NX', 'PX', ARGV[5]) then return -1 end
    local far, forward = call('ZREVRANGE', Q .. 'delayed', 0, tonumber(ARGV[6]) - 1, 'WITHSCORES'), 0
    for i = 1, #far, 2 do
      local ahead = math.floor(tonumber(far[i + 1]) / 0x1000) - NOW
      local delay = isJob(far[i]) and tonumber(call('HGET', Q .. far[i], 'delay') or 0)
      if delay and ahead > delay + 1000 then
        place(far[i], delay)
        forward = forward + 1
      end
    end
    return forward`),
  /**
   * Deliveries parked for longer than that become dead letters, the oldest first; what is being attempted waits for the
   * next call. Answers with how many of those looked at stay, and destination key and event of each that does not.
   * ARGV: age, most to look at, how many of the oldest to leave out.
   */
  relayExpireParked: script(`
    ${EXPIRE}
    local ids = call('ZRANGEBYSCORE', P .. 'parked', '-inf', NOW - tonumber(ARGV[5]), 'LIMIT', ARGV[7], ARGV[6])
    local stay, gone = 0, {}
    for _, id in ipairs(ids) do
      if not isJob(id) then call('ZREM', P .. 'parked', id)
      elseif not call('ZSCORE', Q .. 'delayed', id) and not isBehind(id) then stay = stay + 1
      else expire(id, gone) end
    end
    return {#ids, stay, gone}`),
  /**
   * Deliveries that have held up their lanes for that long become dead letters, and the lanes go on; what is being attempted
   * waits for the next call. Lanes without a first delivery, which a step that failed halfway through leaves, go on as well.
   * Answers as \`relayExpireParked\`. ARGV: age, most lanes to look at, how many of the oldest to leave out.
   */
  relayExpireLanes: script(`
    ${EXPIRE}
    local lanes = call('ZRANGEBYSCORE', P .. 'lanes', '-inf', NOW - tonumber(ARGV[5]), 'LIMIT', ARGV[7], ARGV[6])
    local stay, gone = 0, {}
    for _, lane in ipairs(lanes) do
      local id = call('ZRANGE', P .. 'lane:' .. lane, 0, 0)[1]
      if not id then call('ZREM', P .. 'lanes', lane)
      elseif not isJob(id) then leaveLane(id, lane, false)
      elseif call('ZSCORE', Q .. 'delayed', id) then expire(id, gone)
      else stay = stay + 1 end
    end
    return {#lanes, stay, gone}`),
  /** How many lanes have something stored, and about how many deliveries wait behind the first ones. */
  relayLaneCounts: readingScript(`
    local lanes = call('ZCARD', P .. 'lanes')
    if lanes == 0 then return {0, 0} end
    local placed = call('LLEN', Q .. 'wait') + call('LLEN', Q .. 'paused') + call('LLEN', Q .. 'active')
      + call('ZCARD', Q .. 'delayed') + call('ZCARD', Q .. 'prioritized')
    return {lanes, math.max(0, call('ZCARD', P .. 'parked') - placed)}`),
  /** Of each lane: how many lie there, and the delivery that the next is told was given up on. ARGV: lanes. */
  relayLanes: readingScript(`
    local answers = {}
    for i = 5, #ARGV do
      table.insert(answers, call('ZCARD', P .. 'lane:' .. ARGV[i]))
      table.insert(answers, call('GET', P .. 'lane-gap:' .. ARGV[i]) or '')
    end
    return answers`),
  /** The delivery after that one was made. ARGV: lane, the one that was given up on. */
  relayGapTold: script(`
    local key = P .. 'lane-gap:' .. ARGV[5]
    if call('GET', key) == ARGV[6] then call('DEL', key) end
    return 1`),
  relayMend: script(MEND),
  ...ADDRESS_SCRIPTS,
  /** How long the oldest parked delivery has been stored, milliseconds. */
  relayOldest: readingScript(`
    local oldest = call('ZRANGE', P .. 'parked', 0, 0, 'WITHSCORES')[2]
    return oldest and math.max(0, NOW - tonumber(oldest)) or 0`),
} as const;
