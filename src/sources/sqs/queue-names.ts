import { CATALOGUE, type EventType, spellings } from '../../events/catalogue';
import type { Origin } from '../../events/envelope';
import { type EventFilter, passes } from '../../events/filter';

/** Queues that are consumed where they exist: all names of this shape, with events of all instances. */
export interface QueuePattern {
  /** What stands before the event, and after it. */
  readonly before: string;
  readonly after: string;
  readonly events: EventFilter;
}

/** Or all events in one queue. */
export interface NamedQueue {
  readonly name: string;
}

export type CommonQueue = QueuePattern | NamedQueue;

export interface GlobalQueues {
  readonly prefix: string;
  readonly singleQueue: boolean;
  readonly events: EventFilter;
}

/** A queue that is consumed. */
export interface ConsumedQueue {
  readonly url: string;
  readonly name: string;
  /** What its name says about messages whose body does not. */
  readonly origin: Origin;
}

/** How a template names the queue of an instance and an event: fixed parts around the two, whose order is free. */
interface Template {
  readonly isEventFirst: boolean;
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

/** One way to read a name by a template. */
interface Reading {
  readonly instance: string;
  readonly type: EventType;
}

const EVENT = '{event}';
const INSTANCE = '{instance}';
/** The service counts `.fifo` too. All of the allowed characters are one byte long. */
const MAX_NAME = 80;
const QUEUE_NAME = /^[A-Za-z0-9_-]+(\.fifo)?$/;
const INSTANCE_NAME = /^[A-Za-z0-9_-]+$/;

/**
 * Events as they stand in names: the core API replaces the first dot only at one place and every dot and hyphen at
 * another, and the documents name no rule. So dots, hyphens and underscores are the same here.
 */
const BY_SLUG: ReadonlyMap<string, EventType> = new Map(
  CATALOGUE.flatMap((type) => [...spellings(type), type.key].map((text) => [slugOf(text), type] as const)),
);
/** The longest first: of several readings of a name the one with the longest event counts. */
const SLUG_LENGTHS = [...new Set([...BY_SLUG.keys()].map(({ length }) => length))].sort((a, b) => b - a);
const SHORTEST_SLUG = SLUG_LENGTHS.at(-1) ?? 1;

function slugOf(text: string): string {
  return text.toLowerCase().replaceAll(/[.-]/g, '_');
}

/** Whether a queue may be named so. */
export function isQueueName(name: string): boolean {
  return name.length <= MAX_NAME && QUEUE_NAME.test(name);
}

/** Names of instances' queues, by the templates that have an instance in them. */
export class InstanceNames {
  private readonly templates: readonly Template[];

  constructor(templates: readonly string[]) {
    this.templates = templates.filter((template) => template.includes(INSTANCE)).map(parseTemplate);
  }

  /** Whether any queue can be named for the instance at all. */
  canName(instance: string): boolean {
    return this.prefixesOf(instance).length > 0;
  }

  /** What the names of the instance's queues begin with; none where no queue can be named for it. */
  prefixesOf(instance: string): string[] {
    if (instance.length > MAX_NAME || !INSTANCE_NAME.test(instance)) return [];
    return this.templates
      .filter(({ before, between, after }) => {
        const fixed = before.length + between.length + after.length;
        return fixed + instance.length + SHORTEST_SLUG <= MAX_NAME;
      })
      .map(({ isEventFirst, before, between }) => (isEventFirst ? before : before + instance + between));
  }

  /** The first way to read the name that `accepts`; of one template the longest event first. */
  read(name: string, accepts: (instance: string, type: EventType) => boolean): Origin | undefined {
    if (!isQueueName(name)) return undefined;
    const slug = slugOf(name);
    for (const template of this.templates) {
      for (const length of SLUG_LENGTHS) {
        const reading = readingOf({ name, slug }, template, length);
        if (reading === undefined || !accepts(reading.instance, reading.type)) continue;
        return { routingKey: reading.type.event, instance: reading.instance };
      }
    }
    return undefined;
  }
}

/** The queues of the global mode, and of templates that name no instance. */
export function commonQueues(templates: readonly string[], global: GlobalQueues | undefined): CommonQueue[] {
  const common = templates
    .filter((template) => !template.includes(INSTANCE))
    .map((template) => {
      const [before = '', after = ''] = template.split(EVENT);
      return { before, after, events: 'all' as const };
    });
  if (global === undefined) return common;
  if (global.singleQueue) return [...common, { name: `${global.prefix}_singlequeue.fifo` }];
  return [...common, { before: `${global.prefix}_`, after: '.fifo', events: global.events }];
}

/** What all names of these queues begin with; undefined where no queue can be named so. */
export function prefixOf(common: CommonQueue): string | undefined {
  if ('name' in common) return isQueueName(common.name) ? common.name : undefined;
  const { before, after } = common;
  return before.length + SHORTEST_SLUG + after.length <= MAX_NAME ? before : undefined;
}

/** What a queue's name says, where it is one of those. */
export function matchName(name: string, common: CommonQueue): Origin | undefined {
  if ('name' in common) return name === common.name ? { routingKey: '' } : undefined;
  const { before, after, events } = common;
  if (!name.startsWith(before) || !name.endsWith(after) || name.length <= before.length + after.length) {
    return undefined;
  }
  const type = BY_SLUG.get(slugOf(name.slice(before.length, name.length - after.length)));
  return type !== undefined && passes(events, type.key) ? { routingKey: type.event } : undefined;
}

/** What the name of a queue says that was given by its URL; of several readings the longest event. */
export function readName(name: string, names: InstanceNames, common: readonly CommonQueue[]): Origin {
  for (const each of common) {
    const origin = matchName(name, each);
    if (origin !== undefined) return origin;
  }
  return names.read(name, () => true) ?? { routingKey: '' };
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

function parseTemplate(template: string): Template {
  const event = template.indexOf(EVENT);
  const instance = template.indexOf(INSTANCE);
  const isEventFirst = event < instance;
  const [first, second] = isEventFirst ? [event, instance] : [instance, event];
  const [firstLength, secondLength] = isEventFirst
    ? [EVENT.length, INSTANCE.length]
    : [INSTANCE.length, EVENT.length];
  return {
    isEventFirst,
    before: template.slice(0, first),
    between: template.slice(first + firstLength, second),
    after: template.slice(second + secondLength),
  };
}

/** Reads a name with an event of this length; undefined where it is none of the template's. */
function readingOf(
  { name, slug }: { readonly name: string; readonly slug: string },
  { isEventFirst, before, between, after }: Template,
  length: number,
): Reading | undefined {
  const start = before.length;
  const end = name.length - after.length;
  if (end - start < length + between.length + 1) return undefined;
  const eventAt = isEventFirst ? start : end - length;
  const type = BY_SLUG.get(slug.slice(eventAt, eventAt + length));
  if (type === undefined || !name.startsWith(before) || !name.endsWith(after)) return undefined;
  const betweenAt = isEventFirst ? start + length : eventAt - between.length;
  if (!name.startsWith(between, betweenAt)) return undefined;
  const instance = isEventFirst ? name.slice(betweenAt + between.length, end) : name.slice(start, betweenAt);
  return INSTANCE_NAME.test(instance) ? { instance, type } : undefined;
}
