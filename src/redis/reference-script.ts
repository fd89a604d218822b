/** What each thing that is kept is charged for beside itself: its key, and what is noted of it. */
const BESIDE_BYTES = 512;
/** Redis does nothing else meanwhile: a worker that needs more room asks again. */
const MOST_DROPPED = 1000;
/** What an owner that holds nothing may keep in any case, as a part of all bytes: at the cost of the owner that holds most. */
const FIRST_PART = 1 / 16;
/** What is noted stays for this part of the time longer than what was kept last. */
const SPARE_TIME = 8;

/**
 * Notes what was put behind links, and makes room for it: values do not pass through here, as to copy them into Lua and back costs
 * more than all that is done here. While all is too large, the oldest of the owner that holds most is dropped, where what
 * comes counts as its owner's: no owner that holds less than others loses anything to them. Answers for each: `kept`; `full` where
 * its owner would hold most with this alone, and then its value is gone; `more` where there is no room yet, although much was
 * dropped: to be asked again; `gone` where its value is not there: another call made room with what was noted of it before,
 * between the two, so that it is to be put there again.
 *
 * `kept` has size and owner of each (the sum of sizes under *), `until` when each expires, `of:` those of one owner, `owners` the
 * bytes of each. All of that expires with what was kept last.
 *
 * KEYS: what its keys begin with. ARGV: most that all may be, milliseconds that they are kept, then name, owner and size of each.
 */
export const KEEP_REFERENCES = `
  local call = redis.call
  local BASE, MOST, MS = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
  local KEPT, OWNERS, UNTIL, OF = BASE .. ':kept', BASE .. ':owners', BASE .. ':until', BASE .. ':of:'
  local time = call('TIME')
  local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local left = ${MOST_DROPPED}

  local names, isNew = {}, {}
  for i = 3, #ARGV, 3 do
    -- One that is there twice is forgotten once.
    if not isNew[ARGV[i]] then names[#names + 1] = ARGV[i] end
    isNew[ARGV[i]] = true
  end
  local noted = call('HMGET', KEPT, '*', unpack(names))
  local total = tonumber(noted[1] or '0')

  local function forget(name, note)
    left = left - 1
    call('ZREM', UNTIL, name)
    local size, owner = string.match(note or '', '^(%d+) (.*)$')
    if not size then return end
    total = total - size
    call('HDEL', KEPT, name)
    call('HINCRBY', KEPT, '*', '-' .. size)
    call('ZREM', OF .. owner, name)
    if tonumber(call('ZINCRBY', OWNERS, '-' .. size, owner)) <= 0 then call('ZREM', OWNERS, owner) end
  end

  local function drop(name)
    -- What is new of this name is there already.
    if not isNew[name] then call('DEL', BASE .. ':' .. name) end
    forget(name, call('HGET', KEPT, name))
  end

  -- What is to be noted of those that have room: together, as each call costs more than what it does.
  local kept, ends, ofOwner, bytesOfOwner
  local owners = {}
  local function begin() kept, ends, ofOwner, bytesOfOwner = {}, {}, {}, {} end

  local function note(name, owner, size)
    total = total + size
    kept[#kept + 1] = name
    kept[#kept + 1] = string.format('%.0f %s', size, owner)
    ends[#ends + 1] = NOW + MS
    ends[#ends + 1] = name
    local own = ofOwner[owner] or {}
    ofOwner[owner] = own
    own[#own + 1] = NOW + MS
    own[#own + 1] = name
    bytesOfOwner[owner] = (bytesOfOwner[owner] or 0) + size
    owners[owner] = true
  end

  local function write()
    if #kept == 0 then return end
    call('HSET', KEPT, '*', string.format('%.0f', total), unpack(kept))
    call('ZADD', UNTIL, unpack(ends))
    for owner, own in pairs(ofOwner) do
      call('ZADD', OF .. owner, unpack(own))
      call('ZINCRBY', OWNERS, bytesOfOwner[owner], owner)
    end
    begin()
  end

  -- The owner that holds most, other than the one for whom this is.
  local function fullest(but)
    local held = call('ZREVRANGE', OWNERS, 0, 1, 'WITHSCORES')
    local first = held[1] == but and 3 or 1
    return held[first], tonumber(held[first + 1] or '0')
  end

  local function bytesOf(owner)
    return tonumber(call('ZSCORE', OWNERS, owner) or '0')
  end

  -- Its owner would hold most with this alone.
  local function isTooMuch(owner, size)
    if size <= MOST * ${FIRST_PART} then return false end
    write()
    local _, bytes = fullest(owner)
    return size >= bytes and total - bytesOf(owner) + size > MOST
  end

  local function makeRoom(owner, size)
    write()
    local other, bytes = fullest(owner)
    local own = bytesOf(owner)
    local from = own > 0 and own + size >= bytes and owner or other
    local oldest = from and call('ZRANGE', OF .. from, 0, 0)[1]
    if oldest then
      -- One that came by the same call has to go, too.
      isNew[oldest] = nil
      drop(oldest)
    -- Somebody removed keys: what is noted wrongly is noted anew.
    elseif from then call('ZREM', OWNERS, from)
    else
      call('DEL', KEPT, UNTIL)
      total = 0
    end
  end

  local function keep(name, owner, size)
    if size > MOST or left > 0 and isTooMuch(owner, size) then
      call('DEL', BASE .. ':' .. name)
      return 'full'
    end
    while total + size > MOST do
      if left <= 0 then return 'more' end
      makeRoom(owner, size)
    end
    note(name, owner, size)
    return 'kept'
  end

  -- For some time more than is needed, so that it is seldom set anew.
  local function stays(key)
    if call('PTTL', key) >= MS then return false end
    call('PEXPIRE', key, MS + math.floor(MS / ${SPARE_TIME}))
    return true
  end

  local keys, isGone = {}, {}
  for place, name in ipairs(names) do keys[place] = BASE .. ':' .. name end
  if call('EXISTS', unpack(keys)) < #keys then
    for place, name in ipairs(names) do isGone[name] = call('EXISTS', keys[place]) == 0 end
  end

  begin()
  for place, name in ipairs(names) do
    if noted[place + 1] then forget(name, noted[place + 1]) end
  end
  for _, name in ipairs(call('ZRANGEBYSCORE', UNTIL, '-inf', NOW, 'LIMIT', 0, math.max(0, left))) do drop(name) end
  local answers, answerOf = {}, {}
  for i = 3, #ARGV, 3 do
    local name = ARGV[i]
    -- One that is there twice counts once.
    answerOf[name] = answerOf[name] or isGone[name] and 'gone' or keep(name, ARGV[i + 1], tonumber(ARGV[i + 2]) + ${BESIDE_BYTES})
    answers[#answers + 1] = answerOf[name]
  end
  write()
  for owner in pairs(owners) do stays(OF .. owner) end
  for _, key in ipairs({KEPT, OWNERS}) do stays(key) end
  if stays(UNTIL) then
    -- Of 1.0.0, which never removed them.
    for _, key in ipairs({BASE .. ':expiry', BASE .. ':sizes'}) do
      if call('PTTL', key) == -1 then call('PEXPIRE', key, MS) end
    end
  end
  return answers`;
