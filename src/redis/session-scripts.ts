import { addingScript, readingScript } from './delivery-prelude';

/** Of one viewer. Whoever logs out more often within twelve hours brings back the oldest of these sessions, all their own. */
const MOST_ENDED = 1000;

/** Sessions of the dashboard that were logged out before they would have been over: `ended:<viewer>`, a sorted set by when that is. */
export const SESSION_SCRIPTS = {
  /** ARGV: viewer, session, milliseconds until it would be over, the longest that any lasts. */
  relayEndSession: addingScript(`
    local key = P .. 'ended:' .. ARGV[5]
    call('ZREMRANGEBYSCORE', key, '-inf', NOW)
    call('ZADD', key, NOW + tonumber(ARGV[7]), ARGV[6])
    call('ZREMRANGEBYRANK', key, 0, ${-MOST_ENDED - 1})
    call('PEXPIRE', key, ARGV[8])
    return 1`),
  /** ARGV: viewer, session. */
  relaySessionEnded: readingScript(`
    return call('ZSCORE', P .. 'ended:' .. ARGV[5], ARGV[6]) and 1 or 0`),
} as const;
