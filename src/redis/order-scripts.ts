import { script } from './delivery-prelude';

/**
 * A worker that was not heard of for so long holds no message any more: RabbitMQ takes back what is not acknowledged within half
 * an hour, and that of a worker that is gone within half a minute.
 */
const GONE_MS = 2_100_000;
/** A marker may get lost: another one of the same sweep is sent after so long. */
const SWEEP_AGAIN_MS = 60_000;

/** Workers that were heard of since something began may hold messages of before. */
const MAY_HOLD = `
    local function heardSince(at)
      return call('ZRANGEBYSCORE', P .. 'order:heard', string.format('%.0f', tonumber(at) - 60000), '+inf')
    end
    local function mayHold(id, workers)
      for _, worker in ipairs(workers) do call('SADD', P .. 'order:unclean:' .. id, worker) end
      call('PEXPIRE', P .. 'order:unclean:' .. id, 86400000)
    end`;

/**
 * Which destinations get their events by the ordered queue (worker/ordered-copies.ts). `order` has the state of each and the
 * time since which it is in it, `order:heard` when workers were heard of last (`order:workers` is for earlier versions), and
 * `order:unclean:<id>` those that may hold messages of before a destination was ordered.
 *
 * What a worker held that is gone comes again, to anybody. A sweep finds out when it has: a marker is sent through the main
 * queue, and once it has passed, all workers that live may hold what the gone ones held. `order:sweep` has the time at which
 * one began, when its marker was sent last and the workers that were gone by then, `order:swept` when one ended.
 */
export const ORDER_SCRIPTS = {
  /**
   * A worker lives, and holds no such messages any more for some destinations. Answers with destination, state, since when,
   * for how long, how many workers may hold such messages, their generation, and when the sweep began that this worker is to send
   * a marker of, for each. ARGV: worker, destination and generation of each.
   */
  relayOrder: script(`
    local function sweepOf(id, unclean)
      if #unclean == 0 then return '' end
      local now = string.format('%.0f', NOW)
      local began, sent, names = string.match(call('HGET', P .. 'order:sweep', id) or '', '^(%d+) (%d+) (.+)$')
      if began then
        local agoMs = NOW - tonumber(sent)
        -- Not yet, as the clock of Redis was set back: it may have got lost all the same.
        if agoMs >= 0 and agoMs < ${SWEEP_AGAIN_MS} then return '' end
      else
        local gone = {}
        for _, worker in ipairs(unclean) do
          if not (call('ZSCORE', P .. 'order:heard', worker) or call('ZSCORE', P .. 'order:workers', worker)) then
            table.insert(gone, worker)
          end
        end
        if #gone == 0 then return '' end
        began, names = now, table.concat(gone, ' ')
      end
      call('HSET', P .. 'order:sweep', id, began .. ' ' .. now .. ' ' .. names)
      return began
    end
    call('ZADD', P .. 'order:workers', NOW, ARGV[5])
    call('ZREMRANGEBYSCORE', P .. 'order:workers', '-inf', NOW - 60000)
    call('ZADD', P .. 'order:heard', NOW, ARGV[5])
    call('ZREMRANGEBYSCORE', P .. 'order:heard', '-inf', NOW - ${GONE_MS})
    local clean, swept, times = {}, {}, call('HGETALL', P .. 'order:swept')
    for i = 6, #ARGV, 2 do clean[ARGV[i]] = ARGV[i + 1] end
    for i = 1, #times, 2 do swept[times[i]] = times[i + 1] end
    local answers, found = {}, call('HGETALL', P .. 'order')
    for i = 1, #found, 2 do
      local id = found[i]
      local state, since = string.match(found[i + 1], '^(%a+) (%d+)$')
      if state then
        local generation = swept[id] or since
        if clean[id] == generation then call('SREM', P .. 'order:unclean:' .. id, ARGV[5]) end
        local unclean = call('SMEMBERS', P .. 'order:unclean:' .. id)
        local sweep = state == 'ordered' and sweepOf(id, unclean) or ''
        table.insert(answers, {id, state, since, NOW - tonumber(since), #unclean, generation, sweep})
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
  /** All that came before has been handed over to workers that live, or lived since it joined. ARGV: destination and since when it joins, of each. */
  relayOrderDone: script(`
    ${MAY_HOLD}
    for i = 5, #ARGV, 2 do
      if call('HGET', P .. 'order', ARGV[i]) == 'joining ' .. ARGV[i + 1] then
        mayHold(ARGV[i], heardSince(ARGV[i + 1]))
        call('HDEL', P .. 'order:swept', ARGV[i])
        call('HDEL', P .. 'order:sweep', ARGV[i])
        call('HSET', P .. 'order', ARGV[i], 'ordered ' .. string.format('%.0f', NOW))
      end
    end
    return 1`),
  /** What gone workers held has been handed over to workers that live, or lived since. ARGV: destination and when the sweep began, of each. */
  relayOrderSwept: script(`
    ${MAY_HOLD}
    for i = 5, #ARGV, 2 do
      local id = ARGV[i]
      local began, gone = string.match(call('HGET', P .. 'order:sweep', id) or '', '^(%d+) %d+ (.+)$')
      if began == ARGV[i + 1] then
        for worker in string.gmatch(gone, '%S+') do call('SREM', P .. 'order:unclean:' .. id, worker) end
        mayHold(id, heardSince(began))
        call('HSET', P .. 'order:swept', id, string.format('%.0f', NOW))
        call('HDEL', P .. 'order:sweep', id)
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
        call('HDEL', P .. 'order:swept', ARGV[i])
        call('HDEL', P .. 'order:sweep', ARGV[i])
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
