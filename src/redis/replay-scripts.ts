import type { ScriptDefinition } from './relay-redis';

/** Replays that are kept when they are over, and how many may be under way at once. */
const KEPT = 1000;
const MOST_RUNNING = 100;

/**
 * Replays (replays/replay-store.ts). KEYS of each: what its keys begin with. Beside a hash for each replay there are `all` (a
 * sorted set by time), `running` (a set), and a claim for each that is under way, which runs out with the process that has it.
 */
export const REPLAY_SCRIPTS = {
  /** ARGV: id, time, milliseconds that it is kept for, its specification. 0 where too many are under way. */
  relayReplayBegin: {
    numberOfKeys: 1,
    lua: `
      local call, R, id = redis.call, KEYS[1], ARGV[1]
      if #call('SMEMBERS', R .. ':running') >= ${MOST_RUNNING} then return 0 end
      call('HSET', R .. ':' .. id, 'spec', ARGV[4], 'state', 'running', 'begun', ARGV[2])
      call('PEXPIRE', R .. ':' .. id, ARGV[3])
      call('ZADD', R .. ':all', ARGV[2], id)
      call('ZREMRANGEBYRANK', R .. ':all', 0, -${KEPT + 1})
      call('SADD', R .. ':running', id)
      return 1`,
  },
  /** Takes a replay that nobody works on: its id, or nothing. ARGV: who, for how long, the only one to take or nothing. */
  relayReplayClaim: {
    numberOfKeys: 1,
    lua: `
      local call, R = redis.call, KEYS[1]
      for _, id in ipairs(call('SMEMBERS', R .. ':running')) do
        if call('HGET', R .. ':' .. id, 'state') ~= 'running' then call('SREM', R .. ':running', id)
        elseif ARGV[3] == '' or ARGV[3] == id then
          local claim = R .. ':' .. id .. ':claim'
          local left = call('PTTL', claim)
          -- Longer than anybody claims it: the clock of Redis was set back.
          if left <= 0 or left > tonumber(ARGV[2]) then
            call('SET', claim, ARGV[1], 'PX', ARGV[2])
            return id
          end
        end
      end
      return ''`,
  },
  /**
   * Notes how far it is, and keeps the claim. Answers with the state; \`lost\` where another one has the claim.
   * ARGV: id, who, for how long, then fields and values.
   */
  relayReplayStep: {
    numberOfKeys: 1,
    lua: `
      local call, key = redis.call, KEYS[1] .. ':' .. ARGV[1]
      if call('GET', key .. ':claim') ~= ARGV[2] then return 'lost' end
      for i = 4, #ARGV, 2 do call('HSET', key, ARGV[i], ARGV[i + 1]) end
      call('PEXPIRE', key .. ':claim', ARGV[3])
      return call('HGET', key, 'state') or 'lost'`,
  },
  /** Ends it, where it is under way: 1, or 0. ARGV: id, state, time, what was wrong or nothing. */
  relayReplayEnd: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      local call, R, id = redis.call, KEYS[1], ARGV[1]
      local key = R .. ':' .. id
      if call('HGET', key, 'state') ~= 'running' then return 0 end
      call('HSET', key, 'state', ARGV[2], 'ended', ARGV[3], 'problem', ARGV[4])
      call('SREM', R .. ':running', id)
      return 1`,
  },
  /** Gives a claim back. ARGV: id, who. */
  relayReplayRelease: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      local key = KEYS[1] .. ':' .. ARGV[1] .. ':claim'
      if redis.call('GET', key) == ARGV[2] then redis.call('DEL', key) end
      return 1`,
  },
} as const satisfies Readonly<Record<string, ScriptDefinition>>;
