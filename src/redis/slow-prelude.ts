/**
 * A delivery whose request is under way has the worker that makes it, and `slow:<worker>` when it is due: earlier where that worker
 * is gone (presence-scripts.ts). Part of the prelude.
 */
export const SLOW = `
  local function enterSlow(id, worker, delay)
    call('HSET', Q .. id, 'slow', worker)
    call('ZADD', P .. 'slow:' .. worker, NOW + delay, id)
    call('PEXPIRE', P .. 'slow:' .. worker, LINE_MS)
  end

  local function leaveSlow(id)
    local worker = call('HGET', Q .. id, 'slow')
    if not worker then return end
    call('ZREM', P .. 'slow:' .. worker, id)
    call('HDEL', Q .. id, 'slow')
  end
`;
