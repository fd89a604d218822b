import { readingScript, script } from './delivery-prelude';

/** More addresses than that are no change of one: the oldest are forgotten. */
const MAX_ADDRESSES = 200;

/**
 * Which addresses of global destinations living workers have: a sorted set, whose scores are when that was last said, by the
 * clock of Redis. A look is noted in it as `-`.
 */
export const ADDRESS_SCRIPTS = {
  /**
   * A worker says which addresses it has; answers with the time and those of all workers that lived lately. Where nobody could say
   * anything for a while, as Redis was away, that time does not count.
   * ARGV: how long an address lives after it was said, how long the set is kept, addresses.
   */
  relayAnnounce: script(`
    local key, lives = P .. 'addresses', tonumber(ARGV[5])
    local said = call('ZRANGE', key, 0, -1, 'WITHSCORES')
    local newest = tonumber(said[#said] or NOW)
    local away = newest < NOW - lives / 2 and NOW - newest or 0
    for i = 1, #said, 2 do
      local at = tonumber(said[i + 1]) + away
      -- Redis's clock was set back.
      if away > 0 or at > NOW then call('ZADD', key, math.min(at, NOW), said[i]) end
    end
    for i = 7, #ARGV do call('ZADD', key, NOW, ARGV[i]) end
    call('ZADD', key, NOW, '-')
    call('ZREMRANGEBYSCORE', key, '-inf', NOW - lives)
    call('ZREMRANGEBYRANK', key, 0, -${MAX_ADDRESSES + 1})
    call('PEXPIRE', key, ARGV[6])
    return {NOW, call('ZRANGE', key, 0, -1)}`),
  /** Addresses that workers have said lately. ARGV: how long ago. */
  relayAddresses: readingScript(`
    return call('ZRANGEBYSCORE', P .. 'addresses', NOW - tonumber(ARGV[5]), '+inf')`),
} as const;
