/** What one of all workers does for all of them, once in a while. */
export const TURNS = `
  -- Takes a turn, which says itself how long it is.
  local function takeTurn(name, ms)
    call('SET', P .. name, ms, 'PX', ms)
  end

  -- Whether nobody has this turn; now somebody has. Redis lets a key expire by its clock: where that was set back one is left for
  -- longer than it was taken for.
  local function isTurn(name, ms)
    local left = call('PTTL', P .. name)
    if left > 0 and left <= (tonumber(call('GET', P .. name)) or 0) then return false end
    takeTurn(name, ms)
    return true
  end
`;

/**
 * A key that would be there for longer than it was set for, as the clock of Redis was set back, is there for no longer than that from
 * now on: whoever holds what it stands for, and lives, has time to say so.
 */
export const NO_LONGER = `
  local function noLonger(key, ms)
    if redis.call('PTTL', key) > tonumber(ms) then redis.call('PEXPIRE', key, ms) end
  end
`;

/** A turn of its own: 1 where it is the caller's now. KEYS: its key. ARGV: for how long. */
export const TURN = `
  local call, P = redis.call, KEYS[1]
  ${TURNS}
  return isTurn('', ARGV[1]) and 1 or 0`;
