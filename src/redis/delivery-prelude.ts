import { CLOSED } from './closed-prelude';
import { LANES } from './lane-prelude';
import { SLOW } from './slow-prelude';
import { TURNS } from './turn-prelude';

/** What lies in a line is looked at by itself once an hour, too: a line that somebody removed costs no delivery. */
const LINE_MS = 3_600_000;

/**
 * The life of a stored delivery, step by step. Each script is one atomic step: it moves the delivery and changes what
 * counts it (the audit, the shares of instances) together. Records and sets are BullMQ's (`wait`, `active`, `delayed`,
 * `failed`, a hash for each job), so that its own tools read them.
 *
 * Redis takes nothing back of a script that fails halfway through: a command may be forbidden, a key be of another type.
 * Each step therefore enters the index `parked` first and leaves it last, and writes where the delivery goes before it erases
 * where it was: `relayMend` finds by it what is in no place, or in two.
 *
 * Times are those of Redis: a worker whose clock is wrong neither fires others' retries early nor leaves its own late.
 *
 * KEYS: audit hash (routes a Cluster's call; everything lies in one slot). ARGV of every script: prefix of keys, length of
 * the destination key, most dead letters of one owner, most bytes of dead letters of one owner (0: no limit).
 * Further ones are named at each script.
 */
const PRELUDE = `
  local call = redis.call
  local P, LENGTH = ARGV[1], tonumber(ARGV[2])
  local DEAD_COUNT, DEAD_BYTES = tonumber(ARGV[3]), tonumber(ARGV[4])
  local Q = P .. 'retry:'
  local LINE_MS = ${LINE_MS}
  local time = call('TIME')
  local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  -- To the microsecond: what was parked in the same millisecond keeps its order.
  local EXACT_NOW = NOW + tonumber(time[2]) % 1000 / 1000

${TURNS}

  -- A counter that cannot be written stops no delivery. Why it cannot is kept for the next upkeep.
  local function countOf(key, what, by)
    local field = key .. ':' .. what
    local reply = redis.pcall('HINCRBY', KEYS[1], field, by)
    if type(reply) ~= 'table' or not reply.err then return end
    -- Where only this command is forbidden, the two that everything else needs, too, do the same.
    local now = redis.pcall('HGET', KEYS[1], field)
    if type(now) ~= 'table' then
      local written = redis.pcall('HSET', KEYS[1], field, string.format('%.0f', (tonumber(now or 0) or 0) + by))
      if type(written) ~= 'table' then return end
    end
    redis.pcall('SET', P .. 'uncounted', reply.err, 'PX', 600000)
  end

  local function count(id, what)
    countOf(string.sub(id, -LENGTH), what, 1)
  end

  -- What a person put in its place is no job, and stops no other one.
  local function isJob(id)
    return call('TYPE', Q .. id).ok == 'hash'
  end

  local function share(name, owner, by)
    if by == 0 then return end
    local key = P .. 'share:' .. name
    if tonumber(call('ZINCRBY', key, by, owner)) <= 0 then call('ZREM', key, owner) end
  end

  -- Who is charged for a job while it is parked, and once it is dead, and for how many bytes; records of other versions
  -- do not say.
  local function charge(id)
    local found = isJob(id) and call('HGET', Q .. id, 'charge')
    local size, owner = string.match(found or '', '^(%d+) (.*)$')
    if not size then return '', '', 0 end
    local parkedBy = owner
    if string.sub(owner, 1, 7) == 'global/' then
      parkedBy = call('HGET', P .. 'destinations', string.sub(id, -LENGTH)) or owner
    end
    return parkedBy, owner, tonumber(size)
  end

  -- Deliveries parked for each destination, by its key.
  local function countParked(id, by)
    share('parked-of', string.sub(id, -LENGTH), by)
  end

  local function chargeParked(owner, size)
    share('parked-count', owner, 1)
    share('parked-bytes', owner, size)
  end

  local function enterParked(id)
    if call('ZADD', P .. 'parked', 'NX', EXACT_NOW, id) == 0 then return end
    local owner, _, size = charge(id)
    chargeParked(owner, size)
    countParked(id, 1)
  end

  -- Owner and size are read before the record is erased.
  local function leaveParkedOf(id, owner, size)
    if call('ZREM', P .. 'parked', id) == 0 then return end
    share('parked-count', owner, -1)
    share('parked-bytes', owner, -size)
    countParked(id, -1)
  end

  local function leaveParked(id)
    local owner, _, size = charge(id)
    leaveParkedOf(id, owner, size)
  end

  -- What BullMQ's own tools took out of its set of dead letters is none any more.
  local function forgetDeadOf(id, owner, size)
    if call('ZREM', P .. 'dead:' .. owner, id) == 0 then return end
    share('dead-count', owner, -1)
    share('dead-bytes', owner, -size)
  end

  local function forgetDead(id)
    local _, owner, size = charge(id)
    forgetDeadOf(id, owner, size)
  end

  local function leaveDead(id)
    call('ZREM', Q .. 'failed', id)
    forgetDead(id)
  end

  local function erase(id)
    call('DEL', Q .. id, Q .. id .. ':logs', Q .. id .. ':lock')
  end

  local function discard(id)
    local _, owner, size = charge(id)
    if call('ZSCORE', Q .. 'failed', id) then
      -- The record first: one that lay in no set would be found by nobody.
      erase(id)
      if call('ZREM', Q .. 'failed', id) == 1 then count(id, 'discarded') end
    end
    forgetDeadOf(id, owner, size)
  end

  -- One of those that are charged to an owner; where its record is gone nobody knows how many bytes it was.
  local function discardOf(owner, id)
    discard(id)
    local key = P .. 'dead:' .. owner
    if call('ZREM', key, id) == 0 then return end
    share('dead-count', owner, -1)
    if call('EXISTS', key) == 0 then call('ZREM', P .. 'share:dead-bytes', owner) end
  end

  local function isOverShare(owner)
    local deadCount = tonumber(call('ZSCORE', P .. 'share:dead-count', owner) or 0)
    local deadBytes = tonumber(call('ZSCORE', P .. 'share:dead-bytes', owner) or 0)
    return (DEAD_COUNT > 0 and deadCount > DEAD_COUNT) or (DEAD_BYTES > 0 and deadBytes > DEAD_BYTES)
  end

  local function enterShareOfDead(id)
    local _, owner, size = charge(id)
    -- To the microsecond: of those that died together the first goes first.
    if call('ZADD', P .. 'dead:' .. owner, NOW * 1000 + tonumber(time[2]) % 1000, id) == 1 then
      share('dead-count', owner, 1)
      share('dead-bytes', owner, size)
    end
  end

  -- Ends what made a dead letter. Within its owner's share the oldest of the same owner go, never the one that comes.
  local function chargeDead(id)
    enterShareOfDead(id)
    local _, owner = charge(id)
    for _ = 1, 100 do
      if not isOverShare(owner) then break end
      local oldest = call('ZRANGE', P .. 'dead:' .. owner, 0, 1)
      local victim = oldest[1]
      if victim == id then victim = oldest[2] end
      if not victim then break end
      discardOf(owner, victim)
    end
  end

  -- Due after the delay, behind what is due in the same millisecond: BullMQ's scores.
  local function schedule(id, delay)
    local due = NOW + delay
    local lowest, highest = due * 0x1000, (due + 1) * 0x1000 - 1
    local last = call('ZREVRANGEBYSCORE', Q .. 'delayed', highest, lowest, 'WITHSCORES', 'LIMIT', 0, 1)[2]
    local score = lowest
    if last then score = math.min(tonumber(last) + 1, highest) end
    call('ZADD', Q .. 'delayed', score, id)
  end

  local function lineOf(id)
    return P .. 'line:' .. string.sub(id, -LENGTH)
  end

${CLOSED}
  -- When somebody may look at a line; nothing where there is none.
  local function turn(key, at)
    call('ZADD', P .. 'lines', 'XX', at, key)
  end

  -- By when it was parked, or the older one whose place it took (supersede-script.ts).
  local function rankOf(id)
    return call('HGET', Q .. id, 'rank') or call('ZSCORE', P .. 'parked', id) or EXACT_NOW
  end

  -- Into the line of its destination, behind those that were parked before. It lies in \`delayed\` all the same, as what is in a
  -- line only may not be there any more.
  local function enterLine(id)
    local key = string.sub(id, -LENGTH)
    call('ZADD', lineOf(id), 'NX', rankOf(id), id)
    if call('ZSCORE', P .. 'lines', key) then return end
    call('ZADD', P .. 'lines', NOW + closedFor(key), key)
  end

  local function leaveLine(id)
    call('ZREM', lineOf(id), id)
  end

  -- Due after the delay; below 0 it is due, and waits in the line of its destination.
  local function place(id, delay)
    if delay < 0 then
      enterLine(id)
      delay = LINE_MS
    else leaveLine(id) end
    schedule(id, delay)
    call('HSET', Q .. id, 'delay', delay)
  end

${SLOW}
${LANES}
  local function enterDead(id, reason)
    call('HSET', Q .. id, 'failedReason', reason, 'finishedOn', NOW)
    call('ZADD', Q .. 'failed', NOW, id)
    leaveLane(id, laneOf(id), true)
    call('HDEL', Q .. id, 'lane')
  end

  local function unplace(id)
    leaveLine(id)
    if call('ZREM', Q .. 'delayed', id) == 1 then return end
    if call('LREM', Q .. 'active', 1, id) == 1 then return end
    if call('ZREM', Q .. 'prioritized', id) == 1 then return end
    call('LREM', Q .. 'wait', 1, id)
  end

  -- An attempt that was made, as a line of the job's log. After the place: a step that fails is made again.
  local function note(id, line, limit)
    call('RPUSH', Q .. id .. ':logs', line)
    call('LTRIM', Q .. id .. ':logs', -limit, -1)
  end

  -- Whether the worker still holds the job: what another one decided meanwhile stands.
  local function holds(id, token)
    return call('GET', Q .. id .. ':lock') == token and isJob(id)
  end

  -- The attempt that the holder made, where it spent one.
  local function spend(id, line, limit)
    if line == '' then return end
    note(id, line, limit)
    call('HINCRBY', Q .. id, 'atm', 1)
  end

  local function noteLate(id, line, limit, wasTaken)
    if wasTaken == 0 then note(id, line, limit) else spend(id, line, limit) end
  end

  -- Last of all: whoever holds the job makes a step again that failed before.
  local function letGo(id)
    call('DEL', Q .. id .. ':lock')
  end
`;

type Step = Readonly<{ numberOfKeys: 1; lua: string; frees: boolean }>;

/** Moves, removes or counts what is stored already: a full Redis lets it pass. `ARGV[5]` is the first of its own. */
export function script(body: string): Step {
  return { numberOfKeys: 1, lua: PRELUDE + body, frees: true };
}

/** Adds what was not stored. */
export function addingScript(body: string): Step {
  return { ...script(body), frees: false };
}

/** Changes nothing. */
export function readingScript(body: string): Step {
  return { ...script(body), frees: false };
}
