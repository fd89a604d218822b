import { ADDRESS_SCRIPTS } from './address-scripts';
import { readingScript, script } from './delivery-prelude';
import { MEND } from './mend-script';
import { NEXT } from './next-script';

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
        place(far[i], call('ZSCORE', lineOf(far[i]), far[i]) and -1 or delay)
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
    local ids = call('ZRANGEBYSCORE', P .. 'parked', '-inf', NOW - tonumber(ARGV[5]), 'LIMIT', ARGV[7], ARGV[6])
    local stay, gone = 0, {}
    for _, id in ipairs(ids) do
      if not isJob(id) then call('ZREM', P .. 'parked', id)
      elseif not call('ZSCORE', Q .. 'delayed', id) then stay = stay + 1
      else
        local event = call('HGET', Q .. id, 'name') or ''
        enterDead(id, 'expired')
        call('ZREM', Q .. 'delayed', id)
        leaveLine(id)
        chargeDead(id)
        leaveParked(id)
        table.insert(gone, call('HGET', P .. 'destinations', string.sub(id, -LENGTH)) or '')
        table.insert(gone, event)
      end
    end
    return {#ids, stay, gone}`),
  relayMend: script(MEND),
  ...ADDRESS_SCRIPTS,
  /** How long the oldest parked delivery has been stored, milliseconds. */
  relayOldest: readingScript(`
    local oldest = call('ZRANGE', P .. 'parked', 0, 0, 'WITHSCORES')[2]
    return oldest and math.max(0, NOW - tonumber(oldest)) or 0`),
} as const;
