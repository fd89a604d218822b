import type { DirectResult } from './direct-attempts';
import type { Settlement } from './message';

/**
 * The only place that decides what happens to a source message. While a result is missing the message is held:
 * this function is not called yet.
 *
 * | every delivery of the message is        | settlement |
 * |------------------------------------------|------------|
 * | delivered, discarded or stored, or none  | ack        |
 * | untouched (the process is shutting down) | release    |
 * | at least one could not be stored         | release    |
 */
export function settle(results: readonly DirectResult[]): Settlement {
  return results.every((result) => result !== 'untouched' && result !== 'unstored') ? 'ack' : 'release';
}
