import { script } from './delivery-prelude';

/**
 * `supersede(text)`: a parked delivery that a newer one makes needless is removed and counted as discarded, unless it is under
 * attempt. Answers with when it was due, and whether the newer one is the newest that is known. The text is what both are
 * about, when the newer one was emitted, and for how many milliseconds the older one may have been; or nothing.
 */
export const SUPERSEDE = `
  local function supersede(text)
    local key, at, within = string.match(text, '^(%S+) (%d+) (%d+)$')
    if not key then return nil, nil end
    local name = P .. 'newest:' .. key
    local id, before = string.match(call('GET', name) or '', '^(%S+) (%d+)$')
    local laterBy = tonumber(at) - tonumber(before or 0)
    -- Which one is newer is not known, or it came late: neither replaces the other.
    if id and laterBy <= 0 then return nil, nil end
    local due
    if id and laterBy <= tonumber(within) and isJob(id) and not call('HGET', Q .. id, 'slow') then
      local score = call('ZSCORE', Q .. 'delayed', id)
      if score or call('LPOS', Q .. 'wait', id) then
        due = score and math.floor(tonumber(score) / 0x1000) or NOW
        local owner, _, size = charge(id)
        unplace(id)
        erase(id)
        count(id, 'discarded')
        leaveParkedOf(id, owner, size)
      end
    end
    return due, name
  end

  -- It is the newest from now on. What lies there longer than anything may be replaced goes by itself.
  local function becomeNewest(name, id, text)
    local at, within = string.match(text, '(%d+) (%d+)$')
    call('SET', name, id .. ' ' .. at, 'PX', tonumber(within) + 300000)
  end
`;

export const SUPERSEDE_SCRIPTS = {
  /**
   * Deliveries are made that make older ones needless. ARGV: the text of each. Answers with whether it replaced one. Sent
   * twice it finds nothing the second time.
   */
  relaySupersede: script(`
    ${SUPERSEDE}
    local replaced = {}
    for i = 5, #ARGV do
      local due = supersede(ARGV[i])
      table.insert(replaced, due and 1 or 0)
    end
    return replaced`),
} as const;
