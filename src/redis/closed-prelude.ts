/** A suspended destination is probed once a day; one that a person suspended is not. */
export const SUSPENDED_MS = 86_400_000;

/** For how long destinations that are not well are closed to attempts (health-scripts.ts). Part of the prelude. */
export const CLOSED = `
  local function recordOf(key)
    local text = call('HGET', P .. 'health', key)
    local ok, record = pcall(cjson.decode, text or '')
    return ok and type(record) == 'table' and record or nil
  end

  -- Nothing where that would be longer than it was said for: the clock of Redis was set back.
  local function leftOf(record)
    local left = math.max(0, math.floor((tonumber(record.untilMs) or 0) - NOW))
    if record.by ~= 'person' and left > (tonumber(record.forMs) or ${SUSPENDED_MS}) then return 0 end
    return left
  end

  local function closedFor(key)
    local record = recordOf(key)
    return record and leftOf(record) or 0
  end
`;
