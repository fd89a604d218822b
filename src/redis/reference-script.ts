/** What each thing that is kept is charged for beside itself: its key, and what is noted of it. */
const BESIDE_BYTES = 512;
/** Redis does nothing else meanwhile: whoever needs more room asks again. */
const MOST_DROPPED = 1000;
/** What somebody who holds nothing may keep in all cases, as a part of all bytes: at the cost of whoever holds most. */
const FIRST_PART = 1 / 16;

/**
 * Keeps what lies behind a link until it expires. While all is too large, the oldest of the owner that holds most is dropped,
 * where what comes counts as its owner's: nobody who holds less than others loses anything to them. `kept`, or `full` where
 * its owner would hold most with this alone; `more` where there is no room yet, although much was dropped; `room` where room is
 * all that is asked for.
 *
 * `kept` has size and owner of each (the sum of sizes under *), `until` when each expires, `of:` those of one owner, `owners` the
 * bytes of each. All of that expires with what was kept last.
 *
 * KEYS: what its keys begin with. ARGV: name, owner, size, most that all may be, milliseconds to keep, value (none: room
 * is all that is asked for).
 */
export const KEEP_REFERENCE = `
  local call = redis.call
  local BASE, NAME, OWNER = KEYS[1], ARGV[1], ARGV[2]
  local SIZE, MOST, MS = tonumber(ARGV[3]) + ${BESIDE_BYTES}, tonumber(ARGV[4]), tonumber(ARGV[5])
  local KEPT, OWNERS, UNTIL, OF = BASE .. ':kept', BASE .. ':owners', BASE .. ':until', BASE .. ':of:'
  local time = call('TIME')
  local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local left = ${MOST_DROPPED}

  local function drop(name)
    left = left - 1
    local size, owner = string.match(call('HGET', KEPT, name) or '', '^(%d+) (.*)$')
    call('DEL', BASE .. ':' .. name)
    call('ZREM', UNTIL, name)
    if not size then return end
    call('HDEL', KEPT, name)
    call('HINCRBY', KEPT, '*', '-' .. size)
    call('ZREM', OF .. owner, name)
    if tonumber(call('ZINCRBY', OWNERS, '-' .. size, owner)) <= 0 then call('ZREM', OWNERS, owner) end
  end

  -- The owner that holds most, other than the one for whom this is.
  local function fullest()
    local held = call('ZREVRANGE', OWNERS, 0, 1, 'WITHSCORES')
    local first = held[1] == OWNER and 3 or 1
    return held[first], tonumber(held[first + 1] or '0')
  end

  local function bytesOf(owner)
    return tonumber(call('ZSCORE', OWNERS, owner) or '0')
  end

  local function total()
    return tonumber(call('HGET', KEPT, '*') or '0')
  end

  local function hasRoom()
    return total() + SIZE <= MOST
  end

  -- Its owner would hold most with this alone.
  local function isTooMuch()
    local _, bytes = fullest()
    return SIZE > MOST * ${FIRST_PART} and SIZE >= bytes and total() - bytesOf(OWNER) + SIZE > MOST
  end

  local function makeRoom()
    local other, bytes = fullest()
    local own = bytesOf(OWNER)
    local owner = own > 0 and own + SIZE >= bytes and OWNER or other
    local oldest = owner and call('ZRANGE', OF .. owner, 0, 0)[1]
    if oldest then drop(oldest)
    -- Somebody removed keys: what is noted wrongly is noted anew.
    elseif owner then call('ZREM', OWNERS, owner)
    else call('DEL', KEPT, UNTIL) end
  end

  local function stays(key)
    if call('PTTL', key) < MS then call('PEXPIRE', key, MS) end
  end

  drop(NAME)
  for _, name in ipairs(call('ZRANGEBYSCORE', UNTIL, '-inf', NOW, 'LIMIT', 0, left)) do drop(name) end
  if SIZE > MOST or left > 0 and isTooMuch() then return 'full' end
  while not hasRoom() do
    if left <= 0 then return 'more' end
    makeRoom()
  end
  if not ARGV[6] then return 'room' end
  call('SET', BASE .. ':' .. NAME, ARGV[6], 'PX', MS)
  call('HSET', KEPT, NAME, string.format('%.0f %s', SIZE, OWNER))
  call('HINCRBY', KEPT, '*', SIZE)
  call('ZADD', UNTIL, NOW + MS, NAME)
  call('ZADD', OF .. OWNER, NOW + MS, NAME)
  call('ZINCRBY', OWNERS, SIZE, OWNER)
  for _, key in ipairs({KEPT, OWNERS, UNTIL, OF .. OWNER}) do stays(key) end
  -- Of 1.0.0, which never removed them.
  for _, key in ipairs({BASE .. ':expiry', BASE .. ':sizes'}) do
    if call('PTTL', key) == -1 then call('PEXPIRE', key, MS) end
  end
  return 'kept'`;
