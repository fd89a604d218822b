import { findKey } from '../events/catalogue';
import type { EventFilter } from '../events/filter';
import { flag } from './formats';

/**
 * `WEBHOOK_EVENTS_ERRORS` and `…_ERRORS_WEBHOOK` switch the core API's own error webhook, not an event; the others are
 * settings of SQS that its switches share a prefix with.
 */
const NOT_EVENTS: ReadonlySet<string> = new Set([
  'ERRORS',
  'ERRORS_WEBHOOK',
  'ENABLED',
  'FORCE_SINGLE_QUEUE',
  'PREFIX_NAME',
]);

/**
 * Reads a family of switches such as `RABBITMQ_EVENTS_<KEY>`: where none is set, every event; as soon as one is
 * set, exactly those that say true (docs/configuration.md#switches-of-events). Problems and warnings are pushed, not thrown.
 */
export function readEventSwitches(
  prefix: string,
  environment: Readonly<Record<string, unknown>>,
  problems: string[],
  warnings: string[],
): EventFilter {
  const switches = Object.entries(environment).filter(
    ([name, raw]) => name.startsWith(prefix) && raw !== '' && !NOT_EVENTS.has(name.slice(prefix.length)),
  );
  if (switches.length === 0) return 'all';
  const keys = new Set<string>();
  for (const [name, raw] of switches) {
    const parsed = flag.parse(raw);
    const key = name.slice(prefix.length);
    if (parsed === undefined) problems.push(`${name}: must be ${flag.allowed}`);
    else if (parsed.value) keys.add(findKey(key)?.key ?? key);
    if (parsed?.value && findKey(key) === undefined) {
      warnings.push(
        `${name}: ${key} is no event that is known; as soon as one of a family is set, others do not pass`,
      );
    }
  }
  return keys;
}
