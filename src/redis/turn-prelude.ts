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
