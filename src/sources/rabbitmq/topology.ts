import { CATALOGUE, findKey, spellings } from '../../events/catalogue';
import type { EventFilter } from '../../events/filter';

/** An exchange of the core API that is consumed. */
export interface ConsumedExchange {
  readonly name: string;
  /** Set where the exchange belongs to one instance. */
  readonly instance?: string;
  readonly events: EventFilter;
}

export interface TopologyOptions {
  readonly mode: 'dedicated' | 'shared';
  /** The dedicated queue. */
  readonly queue: string;
  /** Prefix of the shared queues of the global exchange. */
  readonly prefixKey: string;
}

/** A queue, and the routing keys by which it gets what from the exchange. */
export interface BoundQueue {
  readonly queue: string;
  readonly bind: readonly string[];
  /** Bindings of an earlier configuration that must go. */
  readonly unbind: readonly string[];
}

const EVERYTHING = '#';

/**
 * Queues and bindings for one exchange.
 *
 * Dedicated: `#.<event>` matches `messages.upsert` (the core API) and `my-instance.messages.upsert` (the
 * documents), dots in instance names included; without a filter one binding `#`, so that events that the core API
 * adds later pass too. Shared: the queues that the core API declares itself (contract B.3).
 */
export function boundQueues(exchange: ConsumedExchange, options: TopologyOptions): BoundQueue[] {
  if (options.mode === 'shared') {
    return eventsOf(exchange.events).map((event) => ({
      queue: sharedQueue(exchange, event, options.prefixKey),
      bind: [event],
      unbind: [],
    }));
  }
  const wanted = new Set(exchange.events === 'all' ? [EVERYTHING] : patternsOf(exchange.events));
  return [
    {
      queue: options.queue,
      bind: [...wanted],
      unbind: [EVERYTHING, ...CATALOGUE.flatMap(spellings).map(pattern)].filter((key) => !wanted.has(key)),
    },
  ];
}

function sharedQueue(exchange: ConsumedExchange, event: string, prefixKey: string): string {
  if (exchange.instance !== undefined) return `${exchange.instance}.${event}`;
  return prefixKey === '' ? event : `${prefixKey}.${event}`;
}

function eventsOf(events: EventFilter): string[] {
  return events === 'all'
    ? CATALOGUE.map(({ event }) => event)
    : [...events].map((key) => findKey(key)?.event ?? guess(key));
}

function patternsOf(events: ReadonlySet<string>): string[] {
  return [...events].flatMap((key) => {
    const type = findKey(key);
    return (type === undefined ? [guess(key)] : spellings(type)).map(pattern);
  });
}

/** `#.message.update`, an older spelling, would take send.message.update along: such a one is bound as it is. */
function pattern(event: string): string {
  const isEndOfAnother = CATALOGUE.some((type) =>
    spellings(type).some((other) => other.endsWith(`.${event}`)),
  );
  return isEndOfAnother ? event : `${EVERYTHING}.${event}`;
}

/** Event string of a key outside the catalogue, as nearly all are made: `NEW_THING` → `new.thing`. */
function guess(key: string): string {
  return key.toLowerCase().replaceAll('_', '.');
}
