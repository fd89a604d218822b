import { readingScript, script } from './delivery-prelude';
import { LEAD } from './lead-prelude';

/** Dead letters whose reasons are counted. */
const REASONS_OF = 100;

/** What operators were alerted of. Written where Redis is full, too: that is what they are to be alerted of. */
export const ALERT_SCRIPTS = {
  /**
   * Makes a worker the one that alerts, or lets it stay so: the time, and what was said so far; -1 where it is another one.
   * ARGV: worker, for how long.
   */
  relayAlertWatch: script(`${LEAD}
    if not leads('alerting', ARGV[5], ARGV[6]) then return {-1, ''} end
    return {NOW, call('GET', P .. 'alerts-told') or ''}`),
  /** Keeps what was said, while the worker is the one that alerts: 1, otherwise 0. ARGV: worker, document, for how long. */
  relayAlertTold: script(`
    if call('GET', P .. 'alerting') ~= ARGV[5] then return 0 end
    call('SET', P .. 'alerts-told', ARGV[6], 'PX', ARGV[7])
    return 1`),
  /** Another worker may alert. ARGV: worker. */
  relayAlertLeave: script(`
    if call('GET', P .. 'alerting') == ARGV[5] then call('DEL', P .. 'alerting') end
    return 1`),
  /** Dead letters since a time: the time now, how many, and the reasons of the latest ones. ARGV: time. */
  relayNewDead: readingScript(`
    local count = call('ZCOUNT', Q .. 'failed', '(' .. ARGV[5], NOW)
    local reply = {NOW, count}
    if count == 0 then return reply end
    for _, id in ipairs(call('ZREVRANGEBYSCORE', Q .. 'failed', NOW, '(' .. ARGV[5], 'LIMIT', 0, ${REASONS_OF})) do
      table.insert(reply, isJob(id) and call('HGET', Q .. id, 'failedReason') or '')
    end
    return reply`),
} as const;
