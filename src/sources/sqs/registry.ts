import { LRUCache } from 'lru-cache';
import type { EventFilter } from '../../events/filter';
import type { Fields } from '../../observability/logging';
import { Backoff } from '../../time/backoff';
import type { SqsApi } from './api';
import { type Found, findQueues, stillWanted } from './discovery';
import { type ConsumedQueue, type GlobalQueues, nameOfQueue } from './queue-names';
import { WantedQueues } from './wanted-queues';

export interface RegistryOptions {
  /** Queues given by their addresses. */
  readonly queueUrls: readonly string[];
  readonly templates: readonly string[];
  readonly global: GlobalQueues | undefined;
  /** Queues of other accounts are left alone; empty: of whatever account. */
  readonly accountId: string;
  readonly discoveryMs: number;
}

export interface RegistryParts {
  readonly api: Pick<SqsApi, 'list'>;
  /** All queues to consume from now on. */
  readonly onQueues: (queues: readonly ConsumedQueue[]) => void;
  /** The service said which queues there are; after `onQueues`. */
  readonly onSearched: () => void;
  readonly warn: (key: string, message: string, fields: Fields) => void;
}

/** Pauses after a search that failed, as a whole or in part. */
const RETRY = { firstMs: 500, lastMs: 30_000 };
/** Instances that become known one after the other are looked for together. */
const SOON_MS = 200;
/** Instances without a possible queue that are remembered, so that each is warned of once. */
const MAX_IMPOSSIBLE = 10_000;

/** Knows which queues there are: those given by address, and those found by name, looked for again and again. */
export class Registry {
  private readonly wanted: WantedQueues;
  private readonly impossible = new LRUCache<string, true>({ max: MAX_IMPOSSIBLE });
  private readonly given: readonly ConsumedQueue[];
  private readonly retry = new Backoff(RETRY);
  /** By URL. */
  private found: ReadonlyMap<string, ConsumedQueue> = new Map();
  private timer: NodeJS.Timeout | undefined;
  private soon = false;
  private state: 'idle' | 'waiting' | 'searching' | 'stopped' = 'idle';

  constructor(
    private readonly options: RegistryOptions,
    private readonly parts: RegistryParts,
  ) {
    this.wanted = new WantedQueues(options);
    this.given = options.queueUrls.map((url) => {
      const name = nameOfQueue(url);
      return { url, name, origin: this.wanted.read(name) };
    });
  }

  /** Instances whose names no queue can have. */
  get impossibleCount(): number {
    return this.impossible.size;
  }

  start(): void {
    if (this.state !== 'idle') return;
    if (this.given.length > 0) this.announce();
    this.state = 'waiting';
    void this.search();
  }

  /** Any name will do: one that no queue can have leaves out that instance alone. */
  consumeInstance(instance: string, events: EventFilter): void {
    if (this.wanted.want(instance, events)) this.searchSoon();
    else if (!this.impossible.has(instance)) {
      this.impossible.set(instance, true);
      this.parts.warn('name', 'an instance has a name that no sqs queue can have: it is left out', {
        instance,
      });
    }
  }

  dropInstance(instance: string): void {
    this.impossible.delete(instance);
    if (this.wanted.drop(instance)) this.searchSoon();
  }

  /** The queue does not exist: it joins again when it is found again. One given by address is waited for. */
  drop(queue: ConsumedQueue): void {
    const left = new Map(this.found);
    if (!left.delete(queue.url)) return;
    this.found = left;
    this.announce();
  }

  stop(): void {
    this.state = 'stopped';
    clearTimeout(this.timer);
  }

  private searchSoon(): void {
    if (this.soon || this.state === 'idle') return;
    this.soon = true;
    if (this.state === 'waiting') this.schedule(SOON_MS);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.search(), ms);
  }

  private async search(): Promise<void> {
    this.state = 'searching';
    this.soon = false;
    const isComplete = await this.discover();
    if (this.hasStopped()) return;
    this.state = 'waiting';
    if (isComplete) this.retry.reset();
    const { discoveryMs } = this.options;
    const nextMs = isComplete ? discoveryMs : Math.min(discoveryMs, this.retry.next());
    this.schedule(this.soon ? Math.min(SOON_MS, nextMs) : nextMs);
  }

  /** Whether the service said which queues there are. */
  private async discover(): Promise<boolean> {
    const { wanted } = this;
    // What is not wanted any more is left at once, also where the service is away.
    const kept = await stillWanted([...this.found.values()], wanted);
    if (this.hasStopped()) return false;
    this.take(kept);
    const { accountId } = this.options;
    const found = await findQueues({ api: this.parts.api, wanted, accountId, before: kept });
    if (this.hasStopped()) return false;
    this.report(found);
    this.take(found.queues);
    const isComplete = found.failures.length === 0;
    if (isComplete) this.parts.onSearched();
    return isComplete;
  }

  /** A method, as the state changes during awaits, which the compiler does not know. */
  private hasStopped(): boolean {
    return this.state === 'stopped';
  }

  /** Nearly always nothing has changed: thousands of queues are not handed on for that. */
  private take(queues: readonly ConsumedQueue[]): void {
    if (queues.length === this.found.size && queues.every((queue) => this.isKnown(queue))) return;
    this.found = new Map(queues.map((queue) => [queue.url, queue]));
    this.announce();
  }

  private isKnown({ url, origin }: ConsumedQueue): boolean {
    const known = this.found.get(url)?.origin;
    return known?.instance === origin.instance && known?.routingKey === origin.routingKey;
  }

  private report({ otherAccounts, isCut, queues, failures }: Found): void {
    const { warn } = this.parts;
    for (const account of otherAccounts) {
      warn(`account ${account}`, 'queues of another account than SQS_ACCOUNT_ID are left alone', { account });
    }
    if (isCut) {
      warn('cut', 'there are more sqs queues than one worker consumes', { consumed: queues.length });
    }
    if (queues.length + this.given.length === 0 && failures.length === 0) {
      warn(
        'none',
        'no sqs queue was found: check SQS_GLOBAL_ENABLED, settings of instances, SQS_QUEUE_URLS',
        {},
      );
    }
  }

  private announce(): void {
    const all = new Map(this.found);
    for (const queue of this.given) all.set(queue.url, queue);
    this.parts.onQueues([...all.values()]);
  }
}
