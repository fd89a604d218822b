import { script } from './delivery-prelude';

/**
 * Which destinations get their events by the ordered queue (worker/ordered-copies.ts). `order` has the state of each and the
 * time since which it is in it, `order:workers` the workers that live, and `order:unclean:<id>` those that may hold messages
 * of before a destination was ordered.
 */
export const ORDER_SCRIPTS = {
  /**
   * A worker lives, and holds no such messages any more for some destinations. Answers with destination, state, since when,
   * for how long, and how many workers may hold such messages, for each. ARGV: worker, destinations.
   */
  relayOrder: script(`
    call('ZADD', P .. 'order:workers', NOW, ARGV[5])
    call('ZREMRANGEBYSCORE', P .. 'order:workers', '-inf', NOW - 60000)
    for i = 6, #ARGV do call('SREM', P .. 'order:unclean:' .. ARGV[i], ARGV[5]) end
    local answers, found = {}, call('HGETALL', P .. 'order')
    for i = 1, #found, 2 do
      local state, since = string.match(found[i + 1], '^(%a+) (%d+)$')
      if state then
        table.insert(answers, {found[i], state, since, NOW - tonumber(since), #call('SMEMBERS', P .. 'order:unclean:' .. found[i])})
      end
    end
    return answers`),
  /** Destinations are ordered by their settings. ARGV: destinations. */
  relayOrderJoin: script(`
    for i = 5, #ARGV do
      local state = call('HGET', P .. 'order', ARGV[i]) or 'leaving'
      if string.sub(state, 1, 7) == 'leaving' then
        call('HSET', P .. 'order', ARGV[i], 'joining ' .. string.format('%.0f', NOW))
      end
    end
    return 1`),
  /** All that came before has been handed over to workers that live. ARGV: destination and since when it joins, of each. */
  relayOrderDone: script(`
    for i = 5, #ARGV, 2 do
      if call('HGET', P .. 'order', ARGV[i]) == 'joining ' .. ARGV[i + 1] then
        for _, worker in ipairs(call('ZRANGE', P .. 'order:workers', 0, -1)) do
          call('SADD', P .. 'order:unclean:' .. ARGV[i], worker)
        end
        call('PEXPIRE', P .. 'order:unclean:' .. ARGV[i], 86400000)
        call('HSET', P .. 'order', ARGV[i], 'ordered ' .. string.format('%.0f', NOW))
      end
    end
    return 1`),
  /** Destinations are not ordered any more by their settings. ARGV: for how long they must have been, destinations. */
  relayOrderLeave: script(`
    for i = 6, #ARGV do
      local state, since = string.match(call('HGET', P .. 'order', ARGV[i]) or '', '^(%a+) (%d+)$')
      if state and state ~= 'leaving' and NOW - tonumber(since) >= tonumber(ARGV[5]) then
        call('HSET', P .. 'order', ARGV[i], 'leaving ' .. string.format('%.0f', NOW))
      end
    end
    return 1`),
  /** What the ordered queue had for them is settled. ARGV: destination and since when it leaves, of each. */
  relayOrderGone: script(`
    for i = 5, #ARGV, 2 do
      if call('HGET', P .. 'order', ARGV[i]) == 'leaving ' .. ARGV[i + 1] then
        call('HDEL', P .. 'order', ARGV[i])
        call('DEL', P .. 'order:unclean:' .. ARGV[i])
      end
    end
    return 1`),
  /** The ordered queue was made anew: what was published before is not in it. */
  relayOrderAnew: script(`
    local found = call('HGETALL', P .. 'order')
    for i = 1, #found, 2 do
      if string.sub(found[i + 1], 1, 7) == 'ordered' then
        call('HSET', P .. 'order', found[i], 'joining ' .. string.format('%.0f', NOW))
      end
    end
    return 1`),
} as const;
