import { NO_LONGER } from './turn-prelude';

/** No worker locks what it took for longer at once (worker/retries.ts). */
const LONGEST_LOCK_MS = 60_000;

/**
 * What runs before scripts of BullMQ, within the same atomic step.
 *
 * - Times are those of Redis: BullMQ sends its process's clock, and one that is wrong would fire others' retries early.
 * - What a person put in a job's place is taken out first, and remembered in `missing`: BullMQ takes a thousand jobs out of
 *   `delayed` before it looks at the first, and a script that fails halfway through puts none of them back.
 * - A turn to check, or a lock, that lasts for longer than anybody takes it is over, or soon: the clock of Redis was set back.
 * - Marks of stalled jobs that are older than two checks say nothing: nobody could renew a lock while Redis was away.
 *
 * The numbers of keys and arguments are those of BullMQ's scripts; `test/contract/bullmq.test.ts` notices when they change.
 */
const IS_JOB = `
  local function isJob(id) return redis.call('TYPE', prefix .. id).ok == 'hash' end
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

const GUARDS: Readonly<Record<string, string>> = {
  // KEYS: 1 wait, 3 prioritized, 7 delayed. ARGV: 1 prefix of keys, 2 time.
  moveToActive: `
    do
      local prefix = ARGV[1]
      ${IS_JOB}
      ARGV[2] = string.format('%.0f', now)
      -- Read before anything is taken out of them: each fails here where it is of another type.
      redis.call('LLEN', KEYS[2])
      redis.call('XLEN', KEYS[4])
      redis.call('ZCARD', KEYS[11])
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[7], 0, (now + 1) * 0x1000 - 1, 'LIMIT', 0, 1000)) do
        if not isJob(id) then
          redis.call('SADD', prefix .. 'missing', id)
          redis.call('ZREM', KEYS[7], id)
        end
      end
      local id = redis.call('LINDEX', KEYS[1], -1)
      while id and not isJob(id) do
        redis.call('SADD', prefix .. 'missing', id)
        redis.call('RPOP', KEYS[1])
        id = redis.call('LINDEX', KEYS[1], -1)
      end
      id = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
      while id and not isJob(id) do
        redis.call('SADD', prefix .. 'missing', id)
        redis.call('ZREM', KEYS[3], id)
        id = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
      end
    end`,
  // KEYS: 1 stalled, 3 active, 4 exists until the next check is due. ARGV: 2 prefix of keys, 4 milliseconds between checks.
  moveStalledJobsToWait: `
    do
      local prefix = ARGV[2]
      ${IS_JOB}
      ${NO_LONGER}
      if redis.call('PTTL', KEYS[4]) > tonumber(ARGV[4]) then redis.call('DEL', KEYS[4]) end
      if redis.call('EXISTS', KEYS[4]) == 0 then
        local before = tonumber(redis.call('GET', prefix .. 'stalled-checked') or 0)
        if now - before > 2 * tonumber(ARGV[4]) then redis.call('DEL', KEYS[1]) end
        redis.call('SET', prefix .. 'stalled-checked', string.format('%.0f', now))
        for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
          if not isJob(id) then
            redis.call('SREM', KEYS[1], id)
            if redis.call('LREM', KEYS[3], 1, id) == 1 then redis.call('SADD', prefix .. 'missing', id) end
          else noLonger(prefix .. id .. ':lock', ${LONGEST_LOCK_MS}) end
        end
      end
    end`,
};

/** @param name as BullMQ defines its scripts: `name:version` */
export function guarded(name: string, lua: string): string {
  const guard = GUARDS[name.split(':')[0] ?? ''];
  return guard === undefined ? lua : `${guard}\n${lua}`;
}
