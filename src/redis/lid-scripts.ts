import { addingScript, readingScript } from './delivery-prelude';

/** A LID with two numbers is forgotten after this: somebody may have changed the number. */
const CONFLICT_MS = 30 * 86_400_000;

/**
 * Phone numbers of LIDs, as all workers learned them: for each instance a hash, and the one that was full before it. A value is a
 * number, or `!` and the time at which a second one was seen.
 */
const LIDS = `
  local function keysOf(instance)
    return P .. 'lids:' .. instance, P .. 'lids-before:' .. instance
  end

  local function knownOf(instance, lid)
    local now, before = keysOf(instance)
    return call('HGET', now, lid) or call('HGET', before, lid)
  end
`;

export const LID_SCRIPTS = {
  /** ARGV: most of one hash, for how long one is kept that nothing is added to, then for each: instance, LID, number. */
  relayLidsLearn: addingScript(`${LIDS}
    local most, ms = tonumber(ARGV[5]), ARGV[6]
    for i = 7, #ARGV, 3 do
      local instance, lid, number = ARGV[i], ARGV[i + 1], ARGV[i + 2]
      local now, before = keysOf(instance)
      local known = knownOf(instance, lid)
      local seen = known and tonumber(string.match(known, '^!(%d+)$'))
      if seen and NOW - seen < ${CONFLICT_MS} then number = known
      elseif known and not seen and known ~= number then number = string.format('!%.0f', NOW) end
      if call('HLEN', now) >= most and call('HEXISTS', now, lid) == 0 then call('RENAME', now, before) end
      call('HSET', now, lid, number)
      call('PEXPIRE', now, ms)
      call('PEXPIRE', before, ms)
    end
    return 1`),
  /** For each its number, `!` where there are two, or nothing. ARGV, for each: instance, LID. */
  relayLidsOf: readingScript(`${LIDS}
    local numbers = {}
    for i = 5, #ARGV, 2 do
      local known = knownOf(ARGV[i], ARGV[i + 1]) or ''
      table.insert(numbers, string.sub(known, 1, 1) == '!' and '!' or known)
    end
    return numbers`),
} as const;
