import { script } from './delivery-prelude';

/** Workers that are looked at by one call, beyond those that live. */
const LOOKED_AT = 100;
/** A name that no worker has announced for longer is forgotten: no request of that worker is under way any more. */
const FORGOTTEN_MS = 3_600_000;

/**
 * Which workers are there: `present`, a sorted set whose scores are when each last said so, by the clock of Redis. Each one also
 * listens to a channel of its own for as long as its process lives: the system closes the connections of a process that was
 * killed, and leaves those of one that is frozen, or that Redis does not answer to. `gone` has those that said nothing for a
 * while and listen no more. `slow:<worker>` has the deliveries whose requests a worker has under way, by when they are due.
 */
export const PRESENCE_SCRIPTS = {
  /**
   * A worker is there. What was under way at those that are gone is due now. A time in which nobody could say anything, as Redis
   * was away, does not count. Answers with how many deliveries are due for it, and 1 where there are more of them.
   * ARGV: worker, after how long without a word it may be gone, most deliveries.
   */
  relayPresent: script(`
    local key, worker, goneMs, most = P .. 'present', ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
    local newest = tonumber(call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] or NOW)
    if newest > NOW or newest < NOW - goneMs / 3 then
      local all = call('ZRANGE', key, 0, -1, 'WITHSCORES')
      for i = 1, #all, 2 do call('ZADD', key, tonumber(all[i + 1]) + NOW - newest, all[i]) end
    end
    call('ZADD', key, NOW, worker)
    call('ZREM', P .. 'gone', worker)
    call('ZREMRANGEBYSCORE', P .. 'gone', '-inf', NOW - ${FORGOTTEN_MS})
    -- Their requests have ended, or soon do.
    call('ZREMRANGEBYSCORE', P .. 'slow:' .. worker, '-inf', NOW)

    -- Where it may not be asked, somebody does.
    local function isListening(other)
      local found = redis.pcall('PUBSUB', 'NUMSUB', P .. 'present:' .. other)
      return found.err ~= nil or tonumber(found[2]) > 0
    end

    local function isUnderWay(id, other)
      return isJob(id) and call('HGET', Q .. id, 'slow') == other and call('ZSCORE', Q .. 'delayed', id)
        and not call('ZSCORE', lineOf(id), id)
    end

    local freed, isMore = 0, 0
    local function free(other)
      local ids = call('ZRANGE', P .. 'slow:' .. other, 0, most - 1)
      for _, id in ipairs(ids) do
        if isUnderWay(id, other) then
          place(id, 0)
          call('HDEL', Q .. id, 'slow')
          freed = freed + 1
        end
        call('ZREM', P .. 'slow:' .. other, id)
      end
      most = most - #ids
      if most == 0 then isMore = 1 end
      return most > 0
    end

    local silent = call('ZRANGEBYSCORE', key, '-inf', NOW - goneMs, 'WITHSCORES', 'LIMIT', 0, ${LOOKED_AT})
    for i = 1, #silent, 2 do
      local other = silent[i]
      if most > 0 and not isListening(other) and free(other) then
        call('ZADD', P .. 'gone', NOW, other)
        call('ZREM', key, other)
      elseif tonumber(silent[i + 1]) < NOW - ${FORGOTTEN_MS} then call('ZREM', key, other) end
    end
    return {freed, isMore}`),
} as const;
