import { CATALOGUE, type EventType, spellings } from '../../events/catalogue';
import type { Origin } from '../../events/envelope';
import { type EventFilter, passes } from '../../events/filter';

/** Queues that are consumed where they exist: all names of this shape. */
export interface QueuePattern {
  /** What stands before the event, and after it. */
  readonly before: string;
  readonly after: string;
  readonly events: EventFilter;
  /** Undefined: the queue holds events of all instances. */
  readonly instance: string | undefined;
}

/** Or all events in one queue. */
export interface NamedQueue {
  readonly name: string;
}

export type WantedQueue = QueuePattern | NamedQueue;

/** A queue that is consumed. */
export interface ConsumedQueue {
  readonly url: string;
  readonly name: string;
  /** What its name says about messages whose body does not. */
  readonly origin: Origin;
}

const EVENT = '{event}';
const INSTANCE = '{instance}';
/** What the service allows in a name, which some instances' names do not keep to. */
const QUEUE_NAME = /^[A-Za-z0-9_-]{1,80}$/;

/**
 * Events as they stand in names: the core API replaces the first dot only at one place and every dot and hyphen at
 * another (contract A10 no. 10), and the documents name no rule. So dots, hyphens and underscores are the same here.
 */
const BY_SLUG: ReadonlyMap<string, EventType> = new Map(
  CATALOGUE.flatMap((type) => [...spellings(type), type.key].map((text) => [slugOf(text), type] as const)),
);

function slugOf(text: string): string {
  return text.toLowerCase().replaceAll(/[.-]/g, '_');
}

/** The queues of one instance. */
export function queuesOfInstance(
  templates: readonly string[],
  instance: string,
  events: EventFilter,
): QueuePattern[] {
  if (!QUEUE_NAME.test(instance)) return [];
  return templates
    .filter((template) => template.includes(INSTANCE))
    .map((template) => ({ ...splitAtEvent(template.replace(INSTANCE, instance)), events, instance }));
}

/** The queues of the global mode (contract B.4), and of templates that name no instance. */
export function queuesOfAll(
  templates: readonly string[],
  global:
    | { readonly prefix: string; readonly singleQueue: boolean; readonly events: EventFilter }
    | undefined,
): WantedQueue[] {
  const common = templates
    .filter((template) => !template.includes(INSTANCE))
    .map((template) => ({ ...splitAtEvent(template), events: 'all' as const, instance: undefined }));
  if (global === undefined) return common;
  if (global.singleQueue) return [...common, { name: `${global.prefix}_singlequeue.fifo` }];
  const { prefix, events } = global;
  return [...common, { before: `${prefix}_`, after: '.fifo', events, instance: undefined }];
}

/** What all names of these queues begin with. */
export function prefixOf(wanted: WantedQueue): string {
  return 'name' in wanted ? wanted.name : wanted.before;
}

/** What a queue's name says, where it is one of those wanted. */
export function matchName(name: string, wanted: WantedQueue): Origin | undefined {
  if ('name' in wanted) return name === wanted.name ? { routingKey: '' } : undefined;
  const { before, after, events, instance } = wanted;
  if (!name.startsWith(before) || !name.endsWith(after) || name.length <= before.length + after.length) {
    return undefined;
  }
  const type = BY_SLUG.get(slugOf(name.slice(before.length, name.length - after.length)));
  if (type === undefined || !passes(events, type.key)) return undefined;
  return { routingKey: type.event, ...(instance === undefined ? {} : { instance }) };
}

/** What the name of a queue says that was given by its URL; of several readings the longest event. */
export function readName(name: string, templates: readonly string[], others: readonly WantedQueue[]): Origin {
  for (const wanted of others) {
    const origin = matchName(name, wanted);
    if (origin !== undefined) return origin;
  }
  for (const template of templates) {
    const origin = readByTemplate(name, template);
    if (origin !== undefined) return origin;
  }
  return { routingKey: '' };
}

export function nameOfQueue(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

/** The account that a queue's URL names; undefined where it names none. */
export function accountOfQueue(url: string): string | undefined {
  return /\/(\d{12})\/[^/]+$/.exec(url)?.[1];
}

export function isFifo(url: string): boolean {
  return url.endsWith('.fifo');
}

function splitAtEvent(template: string): { readonly before: string; readonly after: string } {
  const [before = '', after = ''] = template.split(EVENT);
  return { before, after };
}

function readByTemplate(name: string, template: string): Origin | undefined {
  for (let end = 1; end < name.length; end++) {
    const [pattern] = queuesOfInstance([template], name.slice(0, end), 'all');
    const origin = pattern && matchName(name, pattern);
    if (origin !== undefined) return origin;
  }
  return undefined;
}
