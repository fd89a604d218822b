/** For so long the next delivery of an empty lane is told of the one before it that was given up on. */
const GAP_MS = 14 * 86_400_000;
/** Lanes of one destination of which that is kept, the newest: whoever has a lane for each event must not fill Redis with them. */
const MOST_GAPS = 10_000;

/**
 * What must keep its order lies in a sorted set of its lane. The first one is parked like any other delivery; those behind it have
 * a record, and no place. `lanes` has the time since which the first one of each holds up the others. Part of the prelude.
 */
export const LANES = `
  local function laneOf(id)
    return isJob(id) and call('HGET', Q .. id, 'lane') or ''
  end

  local function isBehind(id)
    local lane = laneOf(id)
    return lane ~= '' and (call('ZRANK', P .. 'lane:' .. lane, id) or 0) > 0
  end

  -- Whether it is the first one.
  local function enterLane(lane, id)
    local key = P .. 'lane:' .. lane
    call('ZADD', P .. 'lanes', 'NX', NOW, lane)
    local last = call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] or 0
    call('ZADD', key, 'NX', tonumber(last) + 1, id)
    return call('ZRANK', key, id) == 0
  end

  local function gapsOf(lane)
    return P .. 'lane-gaps:' .. string.sub(lane, -LENGTH)
  end

  local function forgetGap(lane)
    call('DEL', P .. 'lane-gap:' .. lane)
    call('ZREM', gapsOf(lane), lane)
  end

  local function keepGap(lane, id)
    local key = gapsOf(lane)
    call('ZADD', key, EXACT_NOW, lane)
    call('PEXPIRE', key, ${GAP_MS})
    call('SET', P .. 'lane-gap:' .. lane, id, 'PX', ${GAP_MS})
    if call('ZCARD', key) > ${MOST_GAPS} then forgetGap(call('ZRANGE', key, 0, 0)[1]) end
  end

  -- The next delivery of the lane is told of one that was given up on.
  local function tellGap(lane, id, nextId)
    if nextId then call('HSET', Q .. nextId, 'opts', '{"gap":"' .. id .. '"}')
    else keepGap(lane, id) end
  end

  -- The one behind it is parked in its stead, due at once.
  local function leaveLane(id, lane, isGap)
    local key = P .. 'lane:' .. lane
    local rank = lane ~= '' and call('ZRANK', key, id)
    if not rank then return end
    local nextId = call('ZRANGE', key, rank + 1, rank + 1)[1]
    while nextId and not isJob(nextId) do
      call('ZREM', key, nextId)
      nextId = call('ZRANGE', key, rank + 1, rank + 1)[1]
    end
    if isGap then tellGap(lane, id, nextId) end
    if rank == 0 and nextId then
      call('ZADD', P .. 'lanes', NOW, lane)
      place(nextId, 0)
    elseif rank == 0 then call('ZREM', P .. 'lanes', lane) end
    call('ZREM', key, id)
  end
`;
