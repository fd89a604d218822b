/**
 * Uses every command that parking, fetching, moving and counting deliveries need, on keys of its own, which are gone
 * afterwards: one that is forbidden is named by the answer. KEYS: what its keys begin with.
 */
export const PROBE = {
  numberOfKeys: 1,
  lua: `
    local failure
    local function call(name, ...)
      if failure then return end
      local reply = redis.pcall(name, ...)
      if type(reply) == 'table' and reply.err then failure = reply.err .. ' (' .. name .. ')' end
    end
    local hash, set, list, text, marks, log = KEYS[1] .. ':h', KEYS[1] .. ':z', KEYS[1] .. ':l', KEYS[1] .. ':t',
      KEYS[1] .. ':s', KEYS[1] .. ':x'
    call('TIME')
    call('SET', text, 1, 'PX', 10000)
    call('INCR', text)
    call('GET', text)
    call('EXISTS', text)
    call('PTTL', text)
    call('PEXPIRE', text, 10000)
    call('HSETNX', hash, 'a', 1)
    call('HSET', hash, 'b', 1)
    call('HMSET', hash, 'b', 1)
    call('HINCRBY', hash, 'b', 1)
    call('HGET', hash, 'a')
    call('HMGET', hash, 'a', 'b')
    call('HGETALL', hash)
    call('HKEYS', hash)
    call('HEXISTS', hash, 'a')
    call('HSTRLEN', hash, 'a')
    call('HLEN', hash)
    call('HSCAN', hash, 0)
    call('HDEL', hash, 'a')
    call('ZADD', set, 1, 'a')
    call('ZINCRBY', set, 1, 'a')
    call('ZSCORE', set, 'a')
    call('ZRANK', set, 'a')
    call('ZCARD', set)
    call('ZCOUNT', set, 0, 1)
    call('ZRANGE', set, 0, 0)
    call('ZREVRANGE', set, 0, 0)
    call('ZRANGEBYSCORE', set, 0, 1)
    call('ZREVRANGEBYSCORE', set, 1, 0)
    call('ZSCAN', set, 0)
    call('ZPOPMIN', set)
    call('ZREM', set, 'a')
    call('ZREMRANGEBYSCORE', set, 0, 1)
    call('ZREMRANGEBYRANK', set, 0, 0)
    call('LPUSH', list, 'a')
    call('RENAME', list, list)
    call('RPUSH', list, 'b')
    call('LLEN', list)
    call('LPOS', list, 'a')
    call('LINDEX', list, 0)
    call('LRANGE', list, 0, 0)
    call('RPOPLPUSH', list, list)
    call('RPOP', list)
    call('LREM', list, 1, 'a')
    call('LTRIM', list, -1, -1)
    call('SADD', marks, 'a')
    call('SMEMBERS', marks)
    call('SRANDMEMBER', marks, 1)
    call('SREM', marks, 'a')
    call('XADD', log, '*', 'a', 1)
    call('XLEN', log)
    call('XTRIM', log, 'MAXLEN', 0)
    call('TYPE', hash)
    call('DEL', hash, set, list, text, marks, log)
    return failure and redis.error_reply(failure) or 1`,
} as const;
