import { addingScript, readingScript } from './delivery-prelude';

/** Steps of the history that are kept: a day of minutes, and a few more. */
const KEPT_MINUTES = 1500;
/** What a worker reported is shown for so long. */
const REPORT_MS = 60_000;
/** Workers see the same queues, or others as they have other sources; sets of them that are shown. */
const MOST_REPORTS = 20;

/** Sums over all destinations; what is parked and dead is what lies there. */
const FLOW = `
  local sums = {accepted = 0, delivered = 0, discarded = 0}
  local counters = call('HGETALL', KEYS[1])
  for i = 1, #counters, 2 do
    local what = string.sub(counters[i], LENGTH + 2)
    if sums[what] then sums[what] = sums[what] + tonumber(counters[i + 1]) end
  end
  local oldest = call('ZRANGE', P .. 'parked', 0, 0, 'WITHSCORES')[2]
  local flow = {
    NOW, tonumber(call('HGET', P .. 'reports', 'received') or 0), sums.accepted, sums.delivered, sums.discarded,
    call('ZCARD', P .. 'parked'), call('ZCARD', Q .. 'failed'),
    oldest and math.floor(math.max(0, NOW - tonumber(oldest))) or 0,
  }
`;

/** How deliveries flow, for people: now, and over a day. */
export const FLOW_SCRIPTS = {
  /**
   * What a worker took in, and the queues that it sees; never sent again. ARGV: events received since
   * the last time, queues in JSON, what workers that see the same ones have in common.
   */
  relayReport: addingScript(`
    local prints = P .. 'queue-reports'
    call('HINCRBY', P .. 'reports', 'received', ARGV[5])
    call('SET', P .. 'queues:' .. ARGV[7], ARGV[6], 'PX', ${REPORT_MS})
    call('ZADD', prints, EXACT_NOW, ARGV[7])
    call('ZREMRANGEBYSCORE', prints, '-inf', NOW - ${REPORT_MS})
    call('PEXPIRE', prints, ${REPORT_MS})
    call('HSET', P .. 'reports', 'at', NOW)
    return 1`),
  /**
   * The time, events received, deliveries accepted, delivered, discarded, parked, dead, the age of the oldest parked one; then
   * how long ago a worker reported, -1: never, and the queues that workers see, in JSON, reported last first.
   */
  relayFlow: readingScript(`${FLOW}
    local reported = call('HGET', P .. 'reports', 'at')
    table.insert(flow, reported and math.max(0, NOW - tonumber(reported)) or -1)
    local prints = call('ZREVRANGEBYSCORE', P .. 'queue-reports', '+inf', NOW - ${REPORT_MS}, 'LIMIT', 0, ${MOST_REPORTS})
    for _, print in ipairs(prints) do table.insert(flow, call('GET', P .. 'queues:' .. print) or '') end
    return flow`),
  /** Of some destinations: accepted, delivered, discarded, parked of each. ARGV: keys. */
  relayFlowOf: readingScript(`
    local numbers = {}
    for i = 5, #ARGV do
      for _, what in ipairs({'accepted', 'delivered', 'discarded'}) do
        table.insert(numbers, tonumber(call('HGET', KEYS[1], ARGV[i] .. ':' .. what) or 0))
      end
      table.insert(numbers, math.floor(tonumber(call('ZSCORE', P .. 'share:parked-of', ARGV[i]) or 0)))
    end
    return numbers`),
  /** Writes down the present minute, where nobody did yet: 1, or 0. */
  relaySample: addingScript(`
    local minute = math.floor(NOW / 60000)
    if #call('ZRANGEBYSCORE', P .. 'history', minute, minute) > 0 then return 0 end
    ${FLOW}
    call('ZADD', P .. 'history', minute, table.concat(flow, ':'))
    call('ZREMRANGEBYSCORE', P .. 'history', '-inf', minute - ${KEPT_MINUTES})
    return 1`),
  /** Minutes that were written down, the oldest first. ARGV: how many minutes back. */
  relayHistory: readingScript(`
    return call('ZRANGEBYSCORE', P .. 'history', math.floor(NOW / 60000) - tonumber(ARGV[5]), '+inf')`),
} as const;
