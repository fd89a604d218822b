/** Whether a worker is the one that does something alone, or becomes that as nobody is, for this many milliseconds. */
export const LEAD = `
  local function leads(name, worker, ms)
    local key = P .. name
    local holder = call('GET', key)
    if holder and holder ~= worker then return false end
    call('SET', key, worker, 'PX', ms)
    return true
  end
`;
