import { FORWARD } from './forward-script';

/** Jobs of a list that are compared: with more of them what is in none of the other places waits for a later look. */
const LISTED = 10_000;
/** Entries of the index for one call: a few milliseconds of Redis. */
const WINDOW = 1000;

/**
 * The next window of the index `parked`: a job in no place is due again at once, one in two places stays in one of them. A
 * step or a script of BullMQ that failed halfway through leaves either. Where an attempt may be one too many or one too few,
 * it is made. One that is due later than it may be is due in time again. Answers with how many were mended, 1 where the index goes on, why
 * counters could not be written, or nothing, and how many were brought forward.
 */
export const MEND = `
  ${FORWARD}
  local isComplete, forward = true, 0
  local function members(list)
    if call('LLEN', Q .. list) > ${LISTED} then isComplete = false end
    local found = {}
    for _, id in ipairs(call('LRANGE', Q .. list, 0, ${LISTED - 1})) do found[id] = true end
    return found
  end
  local active, wait, paused = members('active'), members('wait'), members('paused')

  local function leaveActive(id)
    call('LREM', Q .. 'active', 1, id)
    letGo(id)
    active[id] = nil
  end

  local function leaveWaiting(id)
    if wait[id] then call('LREM', Q .. 'wait', 1, id) end
    if paused[id] then call('LREM', Q .. 'paused', 1, id) end
    call('ZREM', Q .. 'prioritized', id)
    wait[id], paused[id] = nil, nil
  end

  -- Whether anything had to be done.
  local function mend(id)
    local isDelayed = call('ZSCORE', Q .. 'delayed', id)
    local isDead = call('ZSCORE', Q .. 'failed', id)
    local isWaiting = wait[id] or paused[id] or call('ZSCORE', Q .. 'prioritized', id)
    if isDelayed then
      if not (isDead or isWaiting or active[id]) then
        forward = forward + bringForward(id, isDelayed)
        return false
      end
      if active[id] then leaveActive(id) end
      if isWaiting then leaveWaiting(id) end
      if isDead then leaveDead(id) end
      return true
    end
    if isDead then
      if isWaiting then
        leaveDead(id)
      else
        if active[id] then leaveActive(id) end
        enterShareOfDead(id)
        leaveParked(id)
      end
      return true
    end
    if isWaiting or active[id] or not isComplete then return false end
    -- Behind the first one of its lane it has none, as long as there is a first one.
    if isBehind(id) then
      local first = call('ZRANGE', P .. 'lane:' .. laneOf(id), 0, 0)[1]
      if isJob(first) then return false end
      leaveLane(first, laneOf(id), false)
      return true
    end
    if isJob(id) then
      place(id, 0)
      return true
    end
    call('ZREM', P .. 'parked', id)
    return false
  end

  local found = call('ZSCAN', P .. 'parked', call('GET', P .. 'mended') or '0', 'COUNT', ${WINDOW})
  local mended = 0
  for i = 1, #found[2], 2 do
    if mend(found[2][i]) then mended = mended + 1 end
  end
  call('SET', P .. 'mended', found[1])
  local uncounted = call('GET', P .. 'uncounted') or ''
  if uncounted ~= '' then call('DEL', P .. 'uncounted') end
  return {mended, found[1] == '0' and 0 or 1, uncounted, forward}`;
