import type { Redis } from 'ioredis';
import type { RelayRedis, ScriptDefinition } from './relay-redis';

/** A connection to the Redis that takes writes, of whichever kind it is. */
export type RedisClient = Redis;

/** Our own steps beside BullMQ's. A count changes within the script that changes the state which it counts. */
const SCRIPTS = {
  /**
   * A stored delivery was delivered, or is needless: counts it once, and removes the job where no worker holds it.
   * KEYS: audit hash, job, delayed set. ARGV: destination key, job id, `delivered` or `discarded`.
   */
  relaySettle: {
    numberOfKeys: 3,
    frees: true,
    lua: `
      if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
      if redis.call('HSETNX', KEYS[2], 'settled', '1') == 0 then return 0 end
      redis.call('HINCRBY', KEYS[1], ARGV[1] .. ':' .. ARGV[3], 1)
      if redis.call('ZREM', KEYS[3], ARGV[2]) == 1 then redis.call('DEL', KEYS[2], KEYS[2] .. ':logs') end
      return 1`,
  },
  /**
   * Deliveries confirmed, and others found needless, while their source message was held.
   * KEYS: audit hash, destinations hash. ARGV, for each destination: its key, its id, how many of either.
   */
  relayCount: {
    numberOfKeys: 2,
    frees: true,
    lua: `
      for i = 1, #ARGV, 4 do
        redis.call('HINCRBY', KEYS[1], ARGV[i] .. ':accepted', ARGV[i + 2] + ARGV[i + 3])
        redis.call('HINCRBY', KEYS[1], ARGV[i] .. ':delivered', ARGV[i + 2])
        if ARGV[i + 3] ~= '0' then redis.call('HINCRBY', KEYS[1], ARGV[i] .. ':discarded', ARGV[i + 3]) end
        redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1])
      end
      return 1`,
  },
  /**
   * Claims events for one worker: 0 it has the claim now, 1 the event was accepted before, 2 another one has it. It may
   * have it from a call whose answer was lost: it asks for an event that it works on no second time.
   * KEYS: what keys of events begin with. ARGV: worker, how long the claim lasts, ids of events.
   */
  relayClaim: {
    numberOfKeys: 1,
    lua: `
      local answers = {}
      for i = 3, #ARGV do
        local key = KEYS[1] .. ':' .. ARGV[i]
        local holder = redis.call('GET', key)
        if holder == '' then answers[i - 2] = 1
        elseif holder and holder ~= ARGV[1] then answers[i - 2] = 2
        else
          redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
          answers[i - 2] = 0
        end
      end
      return answers`,
  },
  /**
   * Events were accepted: whoever holds a claim, further copies are seen. An empty text stands for that.
   * KEYS: what keys of events begin with. ARGV: how long that is remembered, ids of events.
   */
  relaySeen: {
    numberOfKeys: 1,
    lua: `
      for i = 2, #ARGV do redis.call('SET', KEYS[1] .. ':' .. ARGV[i], '', 'PX', ARGV[1]) end
      return 1`,
  },
  /** KEYS: what keys of events begin with. ARGV: worker, ids of events whose claims it gives up. */
  relayUnclaim: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      for i = 2, #ARGV do
        local key = KEYS[1] .. ':' .. ARGV[i]
        if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end
      end
      return 1`,
  },
  /** KEYS: what keys of events begin with. ARGV: worker, how long claims last from now on, ids of events. */
  relayRenew: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      for i = 3, #ARGV do
        local key = KEYS[1] .. ':' .. ARGV[i]
        if redis.call('GET', key) == ARGV[1] then redis.call('PEXPIRE', key, ARGV[2]) end
      end
      return 1`,
  },
  /**
   * A dead letter is removed for good.
   * KEYS: audit hash, job, failed set. ARGV: destination key, job id.
   */
  relayDiscard: {
    numberOfKeys: 3,
    frees: true,
    lua: `
      if redis.call('ZREM', KEYS[3], ARGV[2]) == 0 then return 0 end
      redis.call('DEL', KEYS[2], KEYS[2] .. ':logs')
      redis.call('HINCRBY', KEYS[1], ARGV[1] .. ':discarded', 1)
      return 1`,
  },
  /**
   * Dead letters that are too old or too many are removed for good, the oldest first.
   * KEYS: audit hash, failed set. ARGV: key of a job without its id, length of the destination key, time before
   * which they are too old, most that may stay, most to remove now.
   */
  relayExpire: {
    numberOfKeys: 2,
    frees: true,
    lua: `
      local limit = tonumber(ARGV[5])
      local excess = math.min(redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4]), limit)
      local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[3], 'LIMIT', 0, limit)
      if excess > #ids then ids = redis.call('ZRANGE', KEYS[2], 0, excess - 1) end
      for _, id in ipairs(ids) do
        redis.call('ZREM', KEYS[2], id)
        redis.call('DEL', ARGV[1] .. id, ARGV[1] .. id .. ':logs')
        redis.call('HINCRBY', KEYS[1], string.sub(id, -tonumber(ARGV[2])) .. ':discarded', 1)
      end
      return #ids`,
  },
  /**
   * One look at everything the audit compares. A job that is settled already counts as delivered: it is active, or
   * waits again after a fail-over has brought it back.
   * KEYS: audit hash, destinations hash, wait, paused, active, delayed, prioritized, failed. ARGV: key of a job
   * without its id, length of the destination key.
   */
  relayAudit: {
    numberOfKeys: 8,
    readOnly: true,
    lua: `
      local parked, dead = {}, {}
      local length = tonumber(ARGV[2])
      local function count(into, id)
        local key = string.sub(id, -length)
        into[key] = (into[key] or 0) + 1
      end
      for _, list in ipairs({KEYS[3], KEYS[4], KEYS[5]}) do
        for _, id in ipairs(redis.call('LRANGE', list, 0, -1)) do
          if redis.call('HEXISTS', ARGV[1] .. id, 'settled') == 0 then count(parked, id) end
        end
      end
      for _, set in ipairs({KEYS[6], KEYS[7]}) do
        for _, id in ipairs(redis.call('ZRANGE', set, 0, -1)) do count(parked, id) end
      end
      for _, id in ipairs(redis.call('ZRANGE', KEYS[8], 0, -1)) do count(dead, id) end
      local function flat(map)
        local result = {}
        for key, value in pairs(map) do
          table.insert(result, key)
          table.insert(result, tostring(value))
        end
        return result
      end
      return {redis.call('HGETALL', KEYS[1]), flat(parked), flat(dead), redis.call('HGETALL', KEYS[2])}`,
  },
} as const satisfies Readonly<Record<string, ScriptDefinition>>;

export type ScriptName = keyof typeof SCRIPTS;

/** Makes the scripts known to a connection. */
export function defineScripts(redis: RelayRedis): void {
  for (const [name, script] of Object.entries(SCRIPTS)) {
    if (!redis.has(name)) redis.defineCommand(name, script);
  }
}
