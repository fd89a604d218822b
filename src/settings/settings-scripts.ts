/**
 * What is done in Redis in one step. The scripts are sent with each call: they are short, and a Redis that forgot its
 * scripts runs them all the same.
 */

/** What a stored text is recognised by, so that it need not be sent back: one that is too large is never looked at. */
const MARK = `
  local function mark(length, maximum)
    if length > tonumber(maximum) then return 'length:' .. length end
    return redis.sha1hex(redis.call('HGET', KEYS[1], ARGV[1]) or '')
  end`;

/**
 * Texts of instances: each text, nothing, or the length of one that is too large to be fetched.
 * KEYS: settings hash. ARGV: largest length, instances.
 */
export const READ = `
  local texts = {}
  for i = 2, #ARGV do
    local length = redis.call('HSTRLEN', KEYS[1], ARGV[i])
    if length > tonumber(ARGV[1]) then texts[i - 1] = length else texts[i - 1] = redis.call('HGET', KEYS[1], ARGV[i]) end
  end
  return texts`;

/** Text of one instance as READ has it, and its mark. KEYS: settings hash. ARGV: instance, largest length. */
export const READ_MARKED = `${MARK}
  local length = redis.call('HSTRLEN', KEYS[1], ARGV[1])
  if length > tonumber(ARGV[2]) then return {length, mark(length, ARGV[2])} end
  return {redis.call('HGET', KEYS[1], ARGV[1]), mark(length, ARGV[2])}`;

/**
 * Replaces the settings of an instance where their mark is still the one that was read, notes the change under the next
 * version, and announces it to all processes.
 * KEYS: settings hash, tokens hash, version, changes, indexes (sets of instances).
 * ARGV: instance, largest length, mark before, channel, most changes that are kept, text after (empty: none), entry of
 * the token, and for each index 1 where the instance belongs there.
 */
export const SWAP = `${MARK}
  if mark(redis.call('HSTRLEN', KEYS[1], ARGV[1]), ARGV[2]) ~= ARGV[3] then return 0 end
  if ARGV[6] == '' then
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('HDEL', KEYS[2], ARGV[1])
  else
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[6])
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[7])
  end
  for i = 5, #KEYS do
    redis.call(ARGV[i + 3] == '1' and 'SADD' or 'SREM', KEYS[i], ARGV[1])
  end
  redis.call('ZADD', KEYS[4], redis.call('INCR', KEYS[3]), ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - tonumber(ARGV[5]))
  redis.call('PUBLISH', ARGV[4], ARGV[1])
  return 1`;

/** Version and names of all instances. KEYS: settings hash, version. */
export const SNAPSHOT = `
  return {tonumber(redis.call('GET', KEYS[2]) or '0'), redis.call('HKEYS', KEYS[1])}`;

/**
 * Version, and the instances that changed since an earlier one; 0 in their place where that is not known any more.
 * KEYS: version, changes. ARGV: earlier version, most changes that are kept.
 */
export const CHANGES = `
  local version, since = tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])
  if version == since then return {version, {}} end
  local count = redis.call('ZCARD', KEYS[2])
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
  local isWhole = count > 0 and (count < tonumber(ARGV[2]) or tonumber(oldest) <= since)
  if version < since or not isWhole then return {version, 0} end
  return {version, redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. since, '+inf')}`;

/**
 * Entry of an instance's token; 0 where the instance has no settings, 1 where its settings were stored before there were
 * entries. KEYS: tokens hash, settings hash. ARGV: instance.
 */
export const TOKEN = `
  local entry = redis.call('HGET', KEYS[1], ARGV[1])
  if entry then return entry end
  return redis.call('HEXISTS', KEYS[2], ARGV[1])`;

/**
 * Adds the entry of settings that were read, where they are still what was read.
 * KEYS: settings hash, tokens hash. ARGV: instance, largest length, mark, entry.
 */
export const INDEX_TOKEN = `${MARK}
  if mark(redis.call('HSTRLEN', KEYS[1], ARGV[1]), ARGV[2]) ~= ARGV[3] then return 0 end
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
  return 1`;
