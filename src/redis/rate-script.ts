import type { ScriptDefinition } from './relay-redis';

/**
 * Leases permits of one destination's rate limit to a worker. The hash holds how many were leased in each part of the
 * window, and when each worker asked last (`w` and its name). A window has one part more than its length, so that no
 * window of that length has more than the count, wherever it begins.
 *
 * What was free while the worker waited is leased as of that moment, within a limit: the time that a question takes would
 * otherwise be lost in every window.
 *
 * Answers with how many are free, milliseconds until the next come free, how many workers asked lately, and part and number
 * of what is leased. Sent twice it leases twice: what nobody uses falls out of the window.
 *
 * KEYS: the hash. ARGV: count, milliseconds of a part, parts of a window, wanted, parts for which the worker has waited,
 * worker, used without a lease, then part and number of what is given back.
 */
export const LEASE = {
  numberOfKeys: 1,
  frees: true,
  lua: `
    local call, key = redis.call, KEYS[1]
    local count, slotMs, slots = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local want, waited = tonumber(ARGV[4]), math.min(tonumber(ARGV[5]), slots)
    local time = call('TIME')
    local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    local now = math.floor(NOW / slotMs)
    for i = 8, #ARGV, 2 do
      local left = tonumber(call('HGET', key, ARGV[i]) or 0) - tonumber(ARGV[i + 1])
      if left > 0 then call('HSET', key, ARGV[i], left) else call('HDEL', key, ARGV[i]) end
    end
    if ARGV[7] ~= '0' then call('HINCRBY', key, now, ARGV[7]) end
    if want > 0 then call('HSET', key, 'w' .. ARGV[6], NOW) end

    local used, workers, old = {}, 0, {}
    local all = call('HGETALL', key)
    for i = 1, #all, 2 do
      local field, value = all[i], tonumber(all[i + 1])
      local slot = tonumber(field)
      if not slot then
        if NOW - value > math.max(60000, slots * slotMs) then table.insert(old, field) else workers = workers + 1 end
      -- A clock that was set back leaves some ahead of now.
      elseif slot > now or slot <= now - 2 * slots then table.insert(old, field)
      else used[slot] = value end
    end
    for _, field in ipairs(old) do call('HDEL', key, field) end

    -- In the window that ends with each part since the worker waits; then the most in any that begins later.
    local first = now - waited
    local sums, sum = {}, 0
    for slot = first - slots + 1, first do sum = sum + (used[slot] or 0) end
    sums[first] = sum
    for slot = first + 1, now do
      sum = sum + (used[slot] or 0) - (used[slot - slots] or 0)
      sums[slot] = sum
    end
    for slot = now - 1, first, -1 do sums[slot] = math.max(sums[slot], sums[slot + 1]) end
    local granted, leased = 0, {}
    for slot = first, now do
      local some = math.min(want - granted, count - sums[slot] - granted)
      if some > 0 then
        used[slot] = (used[slot] or 0) + some
        call('HSET', key, slot, used[slot])
        granted = granted + some
        table.insert(leased, slot)
        table.insert(leased, some)
      end
    end

    local left, nextIn = sum + granted, 0
    local free = math.max(0, count - left)
    if left >= count then
      for slot = now + 1, now + slots do
        left = left - (used[slot - slots] or 0)
        if left < count then
          nextIn = slot * slotMs - NOW
          break
        end
      end
    end
    call('PEXPIRE', key, math.ceil(math.max(60000, 2 * slots * slotMs)))
    return {free, math.ceil(nextIn), workers, unpack(leased)}`,
} as const satisfies ScriptDefinition;
