/**
 * Whether a worker is the one that does something alone, or becomes that as nobody is, for this many milliseconds. One that would be it
 * for longer than that is none: the clock of Redis was set back.
 */
export const LEAD = `
  local function leads(name, worker, ms)
    local key = P .. name
    local holder = call('GET', key)
    if holder and holder ~= worker and call('PTTL', key) <= tonumber(ms) then return false end
    call('SET', key, worker, 'PX', ms)
    return true
  end
`;
