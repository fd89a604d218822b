import { script } from './delivery-prelude';

/**
 * `supersede(text)`: a parked delivery that a newer one makes needless is removed and counted as discarded, unless it is under
 * attempt. Answers with its place (when it was due, whether it lay in the line of its destination, its rank there), and with the
 * name of the newest that is known where the newer one is that. The text is what both are about, when the newer one was emitted,
 * and for how many milliseconds the older one may have been; or nothing.
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
    local older
    if id and laterBy <= tonumber(within) and isJob(id) and not call('HGET', Q .. id, 'slow') and laneOf(id) == '' then
      local score = call('ZSCORE', Q .. 'delayed', id)
      if score or call('LPOS', Q .. 'wait', id) then
        local inLine = call('ZSCORE', lineOf(id), id)
        older = {
          due = score and math.floor(tonumber(score) / 0x1000) or NOW,
          isInLine = inLine or not score,
          rank = inLine or rankOf(id),
        }
        local owner, _, size = charge(id)
        unplace(id)
        erase(id)
        count(id, 'discarded')
        leaveParkedOf(id, owner, size)
      end
    end
    return older, name
  end

  -- Of the newer one: what is replaced over and over must not wait for ever.
  local function delayInPlaceOf(older, delay)
    if delay < 0 then return delay end
    return older.isInLine and -1 or math.min(delay, math.max(0, older.due - NOW))
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
      local older = supersede(ARGV[i])
      table.insert(replaced, older and 1 or 0)
    end
    return replaced`),
} as const;
