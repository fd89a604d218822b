import { readingScript, script } from './delivery-prelude';

/** The stored deliveries together: what is due, who holds it, what has been there for too long. */
export const QUEUE_SCRIPTS = {
  /**
   * Takes what is due, locked: milliseconds until more is due (-1: nothing is stored), then for each job its id, data,
   * attempts made, attempts spent before (empty: as its data says), delay and size. A job whose lock runs out is found by
   * \`relayRecover\`, so a call whose answer was lost harms nothing.
   * ARGV: token, how long the locks last, most jobs, bytes after which no more are taken.
   */
  relayTake: script(`
    local jobs, missing, bytes, most, mostBytes = {}, {}, 0, tonumber(ARGV[7]), tonumber(ARGV[8])
    local function hasRoom() return #jobs < most and bytes < mostBytes end
    local function take(id)
      local job = Q .. id
      if not isJob(id) then
        call('ZREM', P .. 'parked', id)
        return table.insert(missing, id)
      end
      -- Marked by an earlier version: delivered and counted.
      if call('HEXISTS', job, 'settled') == 1 then
        leaveParked(id)
        return erase(id)
      end
      leaveDead(id)
      enterParked(id)
      call('LPUSH', Q .. 'active', id)
      call('SET', job .. ':lock', ARGV[5], 'PX', ARGV[6])
      call('HSET', job, 'processedOn', NOW, 'pb', ARGV[5])
      call('HINCRBY', job, 'ats', 1)
      local found = call('HMGET', job, 'data', 'atm', 'spent', 'delay', 'size')
      table.insert(jobs, {id, found[1] or '', found[2] or '0', found[3] or '', found[4] or '0', found[5] or '0'})
      bytes = bytes + (tonumber(found[5]) or #(found[1] or ''))
    end
    -- Nothing of ours waits here: older versions and BullMQ's own tools use these.
    while hasRoom() do
      local id = call('RPOP', Q .. 'wait') or call('ZPOPMIN', Q .. 'prioritized')[1]
      if not id then break end
      take(id)
    end
    for _, id in ipairs(call('ZRANGEBYSCORE', Q .. 'delayed', '-inf', (NOW + 1) * 0x1000 - 1, 'LIMIT', 0, most - #jobs)) do
      if not hasRoom() then break end
      call('ZREM', Q .. 'delayed', id)
      take(id)
    end
    local nextDue = call('ZRANGE', Q .. 'delayed', 0, 0, 'WITHSCORES')[2]
    local nextIn = -1
    if nextDue then nextIn = math.max(0, math.floor(tonumber(nextDue) / 0x1000) - NOW) end
    return {nextIn, jobs, missing}`),
  /**
   * Renews locks; a lock that ran out while nobody took the job is set again. Answers with the ids of those that are lost.
   * ARGV: how long the locks last, then id and token of each.
   */
  relayHold: script(`
    local lost = {}
    for i = 6, #ARGV, 2 do
      local id, token = ARGV[i], ARGV[i + 1]
      local holder = call('GET', Q .. id .. ':lock')
      local isOurs = holder == token
      if not holder then
        isOurs = isJob(id) and call('HGET', Q .. id, 'pb') == token and call('LPOS', Q .. 'active', id) ~= false
      end
      if isOurs then call('SET', Q .. id .. ':lock', token, 'PX', ARGV[5]) else table.insert(lost, id) end
    end
    return lost`),
  /**
   * Puts back what dead workers held (no lock now, and none at the last look: a worker that was cut off from Redis has
   * renewed its locks by then), and brings forward what is due later than its own delay allows, as a wrong clock has it.
   * Does nothing where a look was taken a moment ago. ARGV: least milliseconds between two looks, most to bring forward.
   */
  relayRecover: script(`
    if not call('SET', P .. 'looked', NOW, 'NX', 'PX', ARGV[5]) then return {-1, 0} end
    local before, recovered, forward = {}, 0, 0
    for _, id in ipairs(call('SMEMBERS', Q .. 'stalled')) do before[id] = true end
    call('DEL', Q .. 'stalled')
    for _, id in ipairs(call('LRANGE', Q .. 'active', 0, -1)) do
      if call('EXISTS', Q .. id .. ':lock') == 1 then
      elseif not isJob(id) then call('LREM', Q .. 'active', 1, id)
      elseif not before[id] then call('SADD', Q .. 'stalled', id)
      else
        call('LREM', Q .. 'active', 1, id)
        call('HINCRBY', Q .. id, 'stc', 1)
        place(id, 0)
        recovered = recovered + 1
      end
    end
    local far = call('ZREVRANGE', Q .. 'delayed', 0, tonumber(ARGV[6]) - 1, 'WITHSCORES')
    for i = 1, #far, 2 do
      local ahead = math.floor(tonumber(far[i + 1]) / 0x1000) - NOW
      local delay = isJob(far[i]) and tonumber(call('HGET', Q .. far[i], 'delay') or 0)
      if delay and ahead > delay + 1000 then
        place(far[i], delay)
        forward = forward + 1
      end
    end
    return {recovered, forward}`),
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
      elseif call('ZREM', Q .. 'delayed', id) == 0 then stay = stay + 1
      else
        local event = call('HGET', Q .. id, 'name') or ''
        leaveParked(id)
        enterDead(id, 'expired')
        table.insert(gone, call('HGET', P .. 'destinations', string.sub(id, -LENGTH)) or '')
        table.insert(gone, event)
      end
    end
    return {#ids, stay, gone}`),
  /** How long the oldest parked delivery has been stored, milliseconds. */
  relayOldest: readingScript(`
    local oldest = call('ZRANGE', P .. 'parked', 0, 0, 'WITHSCORES')[2]
    return oldest and math.max(0, NOW - tonumber(oldest)) or 0`),
} as const;
