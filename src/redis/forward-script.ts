/** A little more than a worker puts off a line (retry/lines.ts). */
const MOST_PUT_OFF_MS = 15_000;

/**
 * `bringForward(id, score)`: where a job in `delayed` is due later than its own delay allows it is due after that delay again. Answers
 * with how many that were.
 */
export const FORWARD = `
  local function bringForward(id, score)
    local ahead = math.floor(tonumber(score) / 0x1000) - NOW
    if ahead <= 1000 or not isJob(id) then return 0 end
    local delay = tonumber(call('HGET', Q .. id, 'delay') or 0)
    if ahead <= delay + 1000 then return 0 end
    place(id, call('ZSCORE', lineOf(id), id) and -1 or delay)
    return 1
  end
`;

/**
 * What a wrong clock put off is brought forward: the latest due times of all (others are found by `relayMend`), and lines that nobody may
 * look at for longer than their destinations are closed to attempts, and a worker puts them off. Of those that are as far ahead
 * as they may be a call leaves out as many as earlier ones have seen, until it has come to the end.
 */
export const BRING_FORWARD = `
  ${FORWARD}
  local most, forward = tonumber(ARGV[6]), 0
  local latest = call('ZREVRANGE', Q .. 'delayed', 0, most - 1, 'WITHSCORES')
  for i = 1, #latest, 2 do forward = forward + bringForward(latest[i], latest[i + 1]) end

  local seen = tonumber(call('GET', P .. 'lines-seen') or 0)
  local far = string.format('%.0f', NOW + ${MOST_PUT_OFF_MS})
  local lines = call('ZRANGEBYSCORE', P .. 'lines', far, '+inf', 'WITHSCORES', 'LIMIT', seen, most)
  for i = 1, #lines, 2 do
    local key, at = lines[i], NOW + closedFor(lines[i])
    if tonumber(lines[i + 1]) <= at + ${MOST_PUT_OFF_MS} then seen = seen + 1
    else
      turn(key, at)
      forward = forward + call('ZCARD', P .. 'line:' .. key)
      -- It may have stayed among those that are far ahead.
      if at >= tonumber(far) then seen = seen + 1 end
    end
  end
  call('SET', P .. 'lines-seen', #lines < 2 * most and 0 or seen)
  return forward`;
