import { CATALOGUE, findKey, spellings } from '../../events/catalogue';
import type { EventFilter } from '../../events/filter';
import { GO_CATALOGUE, goQueuesOf, isGoKey } from '../../events/go-catalogue';
import { instanceFlaw, type NameFlaw, nameFlaw } from './name-flaws';

/** An exchange of the core API that is consumed. */
export interface ConsumedExchange {
  readonly name: string;
  /** Set where the exchange belongs to one instance. */
  readonly instance?: string;
  readonly events: EventFilter;
  /** One of RABBITMQ_EXCHANGES: the relay's own queue is bound to it, also where those of the core API are shared. */
  readonly isFurther?: boolean;
}

export interface TopologyOptions {
  readonly mode: 'dedicated' | 'shared';
  /** The dedicated queue. */
  readonly queue: string;
  /** The ordered queue beside it, while there is one: bound to the same. */
  readonly ordered?: string;
  /** Prefix of the shared queues of the global exchange. */
  readonly prefixKey: string;
  /** Names of exchanges that no instance may have for its own: the global one. */
  readonly reserved?: readonly string[];
  /** There are further exchanges, whose events come by the relay's own queue in shared mode, too. */
  readonly hasFurther?: boolean;
}

/** A queue, and the routing keys by which it gets what from the exchange. */
export interface BoundQueue {
  readonly queue: string;
  readonly bind: readonly string[];
  /** Bindings of an earlier configuration that must go. */
  readonly unbind: readonly string[];
}

/** A name that AMQP cannot take, and what it is the name of. */
export interface FlawedName extends NameFlaw {
  readonly what: string;
}

/** What one exchange asks of the broker. */
export interface ExchangePlan {
  /** Set where the exchange itself cannot be used: nothing of it is asked for. */
  readonly flaw: FlawedName | undefined;
  readonly bound: readonly BoundQueue[];
  /** Queues and routing keys that are left out. */
  readonly flawed: readonly FlawedName[];
}

const EVERYTHING = '#';
/** Events outside the catalogue that an instance may name: each is a binding, which the broker keeps. */
const MAX_UNKNOWN_EVENTS = 64;

/** What is to be declared and bound for an exchange, with what AMQP cannot take left out. */
export function planOf(exchange: ConsumedExchange, options: TopologyOptions): ExchangePlan {
  const flaw =
    exchange.instance === undefined
      ? nameFlaw(exchange.name)
      : instanceFlaw(exchange.name, options.reserved ?? []);
  if (flaw !== undefined) {
    return { flaw: { ...flaw, what: `exchange ${shown(exchange.name)}` }, bound: [], flawed: [] };
  }
  const flawed: FlawedName[] = [];
  const bound = boundQueues(exchange, options).flatMap(({ queue, bind, unbind }) => {
    const queueFlaw = nameFlaw(queue);
    if (queueFlaw !== undefined) {
      flawed.push({ ...queueFlaw, what: `queue ${shown(queue)}` });
      return [];
    }
    const keys = bind.filter((key) => {
      const keyFlaw = nameFlaw(key);
      if (keyFlaw !== undefined) flawed.push({ ...keyFlaw, what: `routing key ${shown(key)}` });
      return keyFlaw === undefined;
    });
    return [{ queue, bind: keys, unbind }];
  });
  return { flaw: undefined, bound, flawed };
}

/**
 * Queues and bindings for one exchange.
 *
 * Dedicated: `#.<event>` matches `messages.upsert` (the core API) and `my-instance.messages.upsert` (its
 * documents), dots in instance names included; without a filter one binding `#`, so that events that the core API
 * adds later pass too. Shared: the queues that the core API declares itself, of an instance only those of events that
 * the core API has: a queue stays for good, and tenants name events freely.
 */
export function boundQueues(exchange: ConsumedExchange, options: TopologyOptions): BoundQueue[] {
  if (!needsOwnQueue(exchange, options)) {
    return sharedEvents(exchange).map((event) => ({
      queue: sharedQueue(exchange, event, options.prefixKey),
      bind: [event],
      unbind: [],
    }));
  }
  const wanted = new Set(exchange.events === 'all' ? [EVERYTHING] : patternsOf(exchange));
  const bind = [...wanted];
  const unbind = ALL_PATTERNS.filter((key) => !wanted.has(key));
  const main = { queue: options.queue, bind, unbind };
  // The ordered one first: what is in the main one alone would be missing there.
  return options.ordered === undefined ? [main] : [{ queue: options.ordered, bind, unbind }, main];
}

/** Whether events of the exchange come by the relay's own queue. */
export function needsOwnQueue({ isFurther = false }: ConsumedExchange, { mode }: TopologyOptions): boolean {
  return mode === 'dedicated' || isFurther;
}

function sharedQueue(exchange: ConsumedExchange, event: string, prefixKey: string): string {
  if (exchange.instance !== undefined) return `${exchange.instance}.${event}`;
  return prefixKey === '' ? event : `${prefixKey}.${event}`;
}

function sharedEvents({ instance, events }: ConsumedExchange): string[] {
  if (events === 'all') return CATALOGUE.map(({ event }) => event);
  const named = [...events].flatMap((key) => {
    const event = findKey(key)?.event;
    if (event !== undefined) return event;
    // The operator's own switches may name an event that the core API has gained since. Queues of evolution-go have other
    // arguments, and nobody but itself declares them: RABBITMQ_QUEUES.
    return instance === undefined && !isGoKey(key) ? guess(key) : [];
  });
  return [...new Set(named)];
}

function patternsOf({ instance, events }: ConsumedExchange): string[] {
  const keys = events === 'all' ? [] : [...events];
  const known = keys.flatMap((key) => findKey(key) ?? []);
  const go = keys.flatMap(goQueuesOf);
  const unknown = keys.filter((key) => findKey(key) === undefined && !isGoKey(key));
  const guessed = unknown.slice(0, instance === undefined ? unknown.length : MAX_UNKNOWN_EVENTS).map(guess);
  return [...[...known.flatMap(spellings), ...guessed].map(pattern), ...go.map(goPattern)];
}

/**
 * evolution-go's routing keys are `<id of the instance>.message`, in lower case. `#.message` would take every send.message of
 * the core API along, however its instance is named; ids have no dots, and instances that share an exchange are seldom.
 */
function goPattern(event: string): string {
  return isEndOfAnother(event) ? `*.${event}` : `${EVERYTHING}.${event}`;
}

/** `#.message.update`, an older spelling, would take send.message.update along: such a one is bound as it is. */
function pattern(event: string): string {
  return isEndOfAnother(event) ? event : `${EVERYTHING}.${event}`;
}

function isEndOfAnother(event: string): boolean {
  return CATALOGUE.some((type) => spellings(type).some((other) => other.endsWith(`.${event}`)));
}

/** What bindings of earlier configurations may be. */
export const ALL_PATTERNS: readonly string[] = [
  EVERYTHING,
  ...CATALOGUE.flatMap(spellings).map(pattern),
  ...GO_CATALOGUE.map(({ event }) => goPattern(event.toLowerCase())),
];

/** Event string of a key outside the catalogue, as nearly all are made: `NEW_THING` → `new.thing`. */
function guess(key: string): string {
  return key.toLowerCase().replaceAll('_', '.');
}

const SHOWN_CHARACTERS = 80;

/** A name for logs and findings: JSON, so that it stays on its line, and not longer than a line. */
export function shown(name: string): string {
  return JSON.stringify(name.length > SHOWN_CHARACTERS ? `${name.slice(0, SHOWN_CHARACTERS)}…` : name);
}

/** The queue that has every event of the dedicated one a second time, for one consumer at a time. */
export function orderedQueue(queue: string): string {
  return `${queue}.ordered`;
}
