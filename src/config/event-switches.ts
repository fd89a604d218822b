import { CATALOGUE } from '../events/catalogue';
import { filterOfNames, keyNamed } from '../events/event-names';
import type { EventFilter } from '../events/filter';
import { didYouMean } from '../events/nearest-name';
import { flag, isGiven } from './formats';

/** A family of switches, such as `RABBITMQ_EVENTS_<KEY>`. */
export interface EventSwitches {
  readonly prefix: string;
  /** What they choose, for the documentation: `events that …`. */
  readonly choose: string;
  /** Variables that begin likewise and are none of them. */
  readonly others?: readonly string[];
}

export interface ReadSwitches {
  readonly events: EventFilter;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** `WEBHOOK_EVENTS_ERRORS` and `…_ERRORS_WEBHOOK` switch the core API's own error webhook, not an event. */
const NOT_EVENTS: readonly string[] = ['ERRORS', 'ERRORS_WEBHOOK'];

const KEYS: readonly string[] = CATALOGUE.map(({ key }) => key);
const NOT_PASSING = '; as soon as one of a family is set, others do not pass';

/**
 * Reads a family of switches: where none is set, every event; as soon as one is set, exactly those that say true
 * (docs/configuration.md#switches-of-events).
 */
export function readEventSwitches(
  { prefix, others = [] }: EventSwitches,
  environment: Readonly<Record<string, unknown>>,
): ReadSwitches {
  const left = [...NOT_EVENTS.map((key) => prefix + key), ...others];
  const switches = Object.entries(environment).filter(
    ([name, raw]) => name.startsWith(prefix) && isGiven(raw) && !left.includes(name),
  );
  if (switches.length === 0) return { events: 'all', problems: [], warnings: [] };
  const chosen: string[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [name, raw] of switches) {
    const parsed = flag.parse(raw);
    const key = name.slice(prefix.length);
    if (parsed === undefined) problems.push(`${name}: must be ${flag.allowed}`);
    else if (parsed.value) chosen.push(key);
    if (parsed !== undefined && keyNamed(key) === undefined) {
      const meant = didYouMean(
        name,
        [...KEYS, ...others.map((other) => other.slice(prefix.length))].map((each) => prefix + each),
      );
      // One that is switched off and like no other may be of a later core API.
      if (parsed.value || meant !== '')
        warnings.push(`${name}: ${key} is no event that is known${meant || NOT_PASSING}`);
    }
  }
  return { events: filterOfNames(chosen), problems, warnings };
}
