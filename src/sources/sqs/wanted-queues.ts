import type { Origin } from '../../events/envelope';
import { type EventFilter, passes } from '../../events/filter';
import {
  type CommonQueue,
  commonQueues,
  type GlobalQueues,
  InstanceNames,
  matchName,
  prefixOf,
  readName,
} from './queue-names';

export interface WantedOptions {
  readonly templates: readonly string[];
  readonly global: GlobalQueues | undefined;
}

/** More prefixes than this are not asked for one by one: all queues are listed, a thousand with each call. */
const MAX_PREFIXES = 20;

/** Which queues are consumed where they exist. A name is looked up by the instance in it, not compared with each. */
export class WantedQueues {
  private readonly names: InstanceNames;
  private readonly common: readonly CommonQueue[];
  private readonly instances = new Map<string, EventFilter>();

  constructor({ templates, global }: WantedOptions) {
    this.names = new InstanceNames(templates);
    this.common = commonQueues(templates, global);
  }

  /** Whether any queue is wanted. */
  get isEmpty(): boolean {
    return this.common.length === 0 && this.instances.size === 0;
  }

  /** False where no queue can be named for the instance: it is not wanted then. Any string may come here. */
  want(instance: string, events: EventFilter): boolean {
    const isPossible = this.names.canName(instance);
    if (isPossible) this.instances.set(instance, events);
    return isPossible;
  }

  /** Whether it was wanted before. */
  drop(instance: string): boolean {
    return this.instances.delete(instance);
  }

  /** What a queue's name says, where it is wanted. */
  match(name: string): Origin | undefined {
    for (const common of this.common) {
      const origin = matchName(name, common);
      if (origin !== undefined) return origin;
    }
    return this.names.read(name, (instance, { key }) => {
      const events = this.instances.get(instance);
      return events !== undefined && passes(events, key);
    });
  }

  /** What the name of a queue says that is consumed whether it is wanted or not. */
  read(name: string): Origin {
    return readName(name, this.names, this.common);
  }

  /** Prefixes that cover all wanted names: each its own, or what they have in common where they are too many. */
  prefixes(): string[] {
    const few = new Set<string>();
    let shared: string | undefined;
    for (const prefix of this.allPrefixes()) {
      shared = shared === undefined ? prefix : sharedPrefix(shared, prefix);
      if (few.size <= MAX_PREFIXES) few.add(prefix);
    }
    return few.size <= MAX_PREFIXES ? [...few].sort() : [shared ?? ''];
  }

  private *allPrefixes(): Iterable<string> {
    for (const common of this.common) {
      const prefix = prefixOf(common);
      if (prefix !== undefined) yield prefix;
    }
    for (const instance of this.instances.keys()) yield* this.names.prefixesOf(instance);
  }
}

function sharedPrefix(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return one.slice(0, length);
}
