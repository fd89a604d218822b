import { ADDRESS_SCRIPTS } from './address-scripts';
import { readingScript, script } from './delivery-prelude';
import { BRING_FORWARD } from './forward-script';
import { MEND } from './mend-script';
import { NEXT } from './next-script';
import { PRESENCE_SCRIPTS } from './presence-scripts';

const EXPIRE = `
  local function expire(id, gone)
    local event = call('HGET', Q .. id, 'name') or ''
    enterDead(id, 'expired')
    call('ZREM', Q .. 'delayed', id)
    leaveLine(id)
    chargeDead(id)
    leaveParked(id)
    table.insert(gone, call('HGET', P .. 'destinations', string.sub(id, -LENGTH)) or '')
    table.insert(gone, event)
  end`;

/** The stored deliveries together, beside what BullMQ does: locks, and what dead workers held. */
export const QUEUE_SCRIPTS = {
  relayNext: script(NEXT),
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
   * Brings forward what a wrong clock put off, or one of Redis that was set back: how many deliveries, -1 where somebody did it a moment
   * ago. ARGV: least milliseconds between two looks, most jobs and most lines to look at.
   */
  relayBringForward: script(`
    if not isTurn('looked', ARGV[5]) then return -1 end
    ${BRING_FORWARD}`),
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
   * waits for the next call. Where the destination is suspended, or is well and has not come to it yet, as with a rate limit, the
   * lane could not go on: its time begins anew. Lanes without a first delivery, which a step that failed halfway through
   * leaves, go on as well.
   * Answers as \`relayExpireParked\`. ARGV: age, most lanes to look at, how many of the oldest to leave out.
   */
  relayExpireLanes: script(`
    ${EXPIRE}
    local function couldNotGoOn(id)
      local record = recordOf(string.sub(id, -LENGTH))
      if record then return record.state == 'suspended' end
      return call('ZSCORE', lineOf(id), id) and not call('HGET', Q .. id, 'ats')
    end
    local lanes = call('ZRANGEBYSCORE', P .. 'lanes', '-inf', NOW - tonumber(ARGV[5]), 'LIMIT', ARGV[7], ARGV[6])
    local stay, gone = 0, {}
    for _, lane in ipairs(lanes) do
      local id = call('ZRANGE', P .. 'lane:' .. lane, 0, 0)[1]
      if not id then call('ZREM', P .. 'lanes', lane)
      elseif not isJob(id) then leaveLane(id, lane, false)
      elseif couldNotGoOn(id) then call('ZADD', P .. 'lanes', NOW, lane)
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
  /** Of each lane: how many lie there, and the delivery that was given up on, which the next one names. ARGV: lanes. */
  relayLanes: readingScript(`
    local answers = {}
    for i = 5, #ARGV do
      table.insert(answers, call('ZCARD', P .. 'lane:' .. ARGV[i]))
      table.insert(answers, call('GET', P .. 'lane-gap:' .. ARGV[i]) or '')
    end
    return answers`),
  /** The delivery after that one was made. ARGV: lane, the one that was given up on. */
  relayGapTold: script(`
    if call('GET', P .. 'lane-gap:' .. ARGV[5]) == ARGV[6] then forgetGap(ARGV[5]) end
    return 1`),
  relayMend: script(MEND),
  ...ADDRESS_SCRIPTS,
  ...PRESENCE_SCRIPTS,
  /**
   * How many parked deliveries are due: those that enter a line with the next look, and those in lines that may be looked at now, or
   * within a moment, where a worker has just found no room for more. ARGV: milliseconds of that moment, most lines to count.
   */
  relayDue: readingScript(`
    local due = call('LLEN', Q .. 'wait') + call('ZCOUNT', Q .. 'delayed', '-inf', (NOW + 1) * 0x1000 - 1)
    local soon = string.format('%.0f', NOW + tonumber(ARGV[5]))
    for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'lines', '-inf', soon, 'LIMIT', 0, ARGV[6])) do
      due = due + call('ZCARD', P .. 'line:' .. key)
    end
    return due`),
  /** How long the oldest parked delivery has been stored, milliseconds. */
  relayOldest: readingScript(`
    local oldest = call('ZRANGE', P .. 'parked', 0, 0, 'WITHSCORES')[2]
    return oldest and math.max(0, NOW - tonumber(oldest)) or 0`),
} as const;
