import type { EventFilter } from '../../events/filter';
import type { Fields } from '../../observability/logging';
import type { SqsApi } from './api';
import { findQueues } from './discovery';
import {
  type ConsumedQueue,
  nameOfQueue,
  queuesOfAll,
  queuesOfInstance,
  readName,
  type WantedQueue,
} from './queue-names';

export interface RegistryOptions {
  /** Queues given by their addresses. */
  readonly queueUrls: readonly string[];
  readonly templates: readonly string[];
  readonly global:
    | { readonly prefix: string; readonly singleQueue: boolean; readonly events: EventFilter }
    | undefined;
  /** Queues of other accounts are left alone; empty: of whatever account. */
  readonly accountId: string;
  readonly discoveryMs: number;
}

export interface RegistryParts {
  readonly api: Pick<SqsApi, 'list'>;
  /** All queues to consume from now on. */
  readonly onQueues: (queues: readonly ConsumedQueue[]) => void;
  readonly onError: (error: unknown) => void;
  readonly warn: (key: string, message: string, fields: Fields) => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 30_000;
/** Instances that become known one after the other are looked for together. */
const SOON_MS = 200;

/** Knows which queues there are: those given by address, and those found by name, looked for again and again. */
export class Registry {
  private readonly instances = new Map<string, EventFilter>();
  private readonly given: readonly ConsumedQueue[];
  private found: readonly ConsumedQueue[] = [];
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private lookAgain = false;
  private failures = 0;
  private stopped = false;

  constructor(
    private readonly options: RegistryOptions,
    private readonly parts: RegistryParts,
  ) {
    const { queueUrls, templates } = options;
    const wanted = queuesOfAll(templates, options.global);
    this.given = queueUrls.map((url) => {
      const name = nameOfQueue(url);
      return { url, name, origin: readName(name, templates, wanted) };
    });
  }

  start(instances: ReadonlyMap<string, EventFilter>): void {
    for (const [instance, events] of instances) this.instances.set(instance, events);
    if (this.given.length > 0) this.tell();
    void this.look();
  }

  consumeInstance(instance: string, events: EventFilter): void {
    this.instances.set(instance, events);
    this.lookSoon();
  }

  dropInstance(instance: string): void {
    if (this.instances.delete(instance)) this.lookSoon();
  }

  /** The queue does not exist: it joins again when it is found again. One given by address is waited for. */
  forget(queue: ConsumedQueue): void {
    if (!this.found.some(({ url }) => url === queue.url)) return;
    this.found = this.found.filter(({ url }) => url !== queue.url);
    this.tell();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private get wanted(): WantedQueue[] {
    const { templates, global } = this.options;
    const own = [...this.instances].flatMap(([instance, events]) =>
      queuesOfInstance(templates, instance, events),
    );
    return [...queuesOfAll(templates, global), ...own];
  }

  private lookSoon(): void {
    if (this.looking) this.lookAgain = true;
    else this.schedule(SOON_MS);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), ms);
  }

  private async look(): Promise<void> {
    this.looking = true;
    this.lookAgain = false;
    let nextMs = this.options.discoveryMs;
    try {
      await this.find();
      this.failures = 0;
    } catch (error) {
      this.failures++;
      this.parts.onError(error);
      nextMs = Math.min(nextMs, RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(this.failures - 1, 10));
    }
    this.looking = false;
    this.schedule(this.lookAgain ? SOON_MS : nextMs);
  }

  private async find(): Promise<void> {
    const { wanted } = this;
    const { queues, otherAccounts } = await findQueues(this.parts.api, wanted, this.options.accountId);
    if (this.stopped) return;
    for (const account of otherAccounts) {
      this.parts.warn(`account ${account}`, 'queues of another account than SQS_ACCOUNT_ID are left alone', {
        account,
      });
    }
    this.found = queues;
    this.tell();
    if (queues.length + this.given.length === 0) {
      this.parts.warn(
        'none',
        'no sqs queue was found: check SQS_GLOBAL_ENABLED, settings of instances, SQS_QUEUE_URLS',
        {
          looked: wanted.length,
        },
      );
    }
  }

  private tell(): void {
    const all = new Map([...this.found, ...this.given].map((queue) => [queue.url, queue]));
    this.parts.onQueues([...all.values()]);
  }
}
