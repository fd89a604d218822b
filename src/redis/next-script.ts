/**
 * What is to be attempted next. Every delivery that is due enters the line of its destination once (`place`), in the order in
 * which deliveries were parked; a zset of lines says which of them may be looked at. A worker takes from the lines of
 * destinations that it may attempt, and learns of others: no call looks at more than what it takes, whatever lies there.
 *
 * What is taken is what BullMQ's `moveToActive` makes of a job: in `active`, locked, with the worker's name. So BullMQ's check
 * for stalled jobs, its locks and its boards go on with it.
 *
 * Answers with milliseconds until more is due (-1: nothing is stored); ids that were found to have no record; what was taken:
 * id, token, data, attempts made, options, how often it was taken, when it was parked; key of each line that was taken from
 * and how many are left in it; key and id of destinations whose lines may be looked at.
 *
 * ARGV: most jobs that enter lines, bytes after which no more are taken, how long locks last, name of the worker, number of its first token,
 * most lines to name, how many wishes; for each wish a key and how many; then for each line that this worker can do nothing
 * with now its key and for how long it is to be named to no worker.
 */
export const NEXT = `
  local most, mostBytes, lockMs = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
  local name, number, mostLines, wishes = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
  local missing, taken, left, bytes = {}, {}, {}, 0

  -- False where there is no record.
  local function lineUp(id)
    if isJob(id) then
      place(id, -1)
      return true
    end
    call('ZREM', P .. 'parked', id)
    table.insert(missing, id)
    return false
  end

  -- A person put it back, or BullMQ what a dead worker held.
  local function lineUpWaiting()
    local waiting = call('LRANGE', Q .. 'wait', -most, -1)
    for i = #waiting, 1, -1 do
      lineUp(waiting[i])
      call('LREM', Q .. 'wait', -1, waiting[i])
    end
    for _, id in ipairs(call('ZRANGE', Q .. 'prioritized', 0, most - 1)) do
      lineUp(id)
      call('ZREM', Q .. 'prioritized', id)
    end
  end

  local function lineUpDue()
    for _, id in ipairs(call('ZRANGEBYSCORE', Q .. 'delayed', '-inf', (NOW + 1) * 0x1000 - 1, 'LIMIT', 0, most)) do
      if not lineUp(id) then call('ZREM', Q .. 'delayed', id) end
    end
  end

  local function activate(id)
    local token = name .. ':' .. string.format('%.0f', number)
    number = number + 1
    call('LPUSH', Q .. 'active', id)
    call('ZREM', Q .. 'delayed', id)
    call('SET', Q .. id .. ':lock', token, 'PX', lockMs)
    call('XADD', Q .. 'events', 'MAXLEN', '~', 1000, '*', 'event', 'active', 'jobId', id, 'prev', 'delayed')
    call('HSET', Q .. id, 'processedOn', NOW, 'pb', name)
    call('HINCRBY', Q .. id, 'ats', 1)
    local found = call('HMGET', Q .. id, 'data', 'atm', 'opts', 'ats', 'timestamp')
    local data = found[1] or ''
    bytes = bytes + #data
    table.insert(taken, {id, token, data, found[2] or '0', found[3] or '', found[4] or '0', found[5] or '0'})
  end

  -- How many are left.
  local function takeFrom(key, count)
    local line = P .. 'line:' .. key
    while count > 0 and bytes < mostBytes do
      local id = call('ZRANGE', line, 0, 0)[1]
      if not id then break end
      -- What went elsewhere meanwhile lies in no line, whatever this one says.
      if call('ZSCORE', Q .. 'delayed', id) and isJob(id) then
        activate(id)
        count = count - 1
      end
      call('ZREM', line, id)
    end
    local rest = call('ZCARD', line)
    if rest == 0 then call('ZREM', P .. 'lines', key) else call('ZADD', P .. 'lines', 'XX', NOW, key) end
    return rest
  end

  lineUpDue()
  lineUpWaiting()
  local isPaused = call('HEXISTS', Q .. 'meta', 'paused') == 1
  for i = 12, 11 + 2 * wishes, 2 do
    if not isPaused then
      table.insert(left, ARGV[i])
      table.insert(left, takeFrom(ARGV[i], tonumber(ARGV[i + 1])))
    end
  end
  for i = 12 + 2 * wishes, #ARGV, 2 do call('ZADD', P .. 'lines', 'XX', NOW + tonumber(ARGV[i + 1]), ARGV[i]) end

  local lines = {}
  local keys = isPaused and {} or call('ZRANGEBYSCORE', P .. 'lines', '-inf', NOW, 'LIMIT', 0, mostLines)
  for _, key in ipairs(keys) do
    table.insert(lines, key)
    table.insert(lines, call('HGET', P .. 'destinations', key) or '')
  end

  local nextIn = -1
  local function sooner(at)
    local inMs = math.max(0, math.floor(at) - NOW)
    if nextIn < 0 or inMs < nextIn then nextIn = inMs end
  end
  local nextDue = call('ZRANGE', Q .. 'delayed', 0, 0, 'WITHSCORES')[2]
  if nextDue then sooner(tonumber(nextDue) / 0x1000) end
  local nextLine = call('ZRANGEBYSCORE', P .. 'lines', '(' .. string.format('%.0f', NOW), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if nextLine then sooner(tonumber(nextLine)) end

  for _, id in ipairs(call('SRANDMEMBER', Q .. 'missing', 100)) do
    call('ZREM', P .. 'parked', id)
    call('SREM', Q .. 'missing', id)
    table.insert(missing, id)
  end
  return {nextIn, missing, taken, left, lines}`;
