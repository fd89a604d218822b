import type { ReceivedMessage, SqsApi } from './api';
import type { ConsumedQueue } from './queue-names';

/** Depth of a source queue, as the service reports it. */
export interface QueueDepth {
  readonly queue: string;
  readonly messages: number;
  readonly inFlight: number;
  /** Age of the message that was received last when it was received; 0 where the queue is empty. */
  readonly oldestSeconds: number;
}

/** Queues asked for at once: each costs a call, and this is asked for every few seconds. */
const AT_ONCE = 5;
/** Queues that are shown one by one; names may be a tenant's choice, so that they must not be endless. */
const MAX_SHOWN = 100;
const OTHERS = 'other';

/** Reads the depths of the queues at a bounded rate. */
export class Depths {
  private readonly known = new Map<string, QueueDepth>();
  private readonly ages = new Map<string, number>();
  private queues: readonly ConsumedQueue[] = [];
  private next = 0;

  constructor(private readonly api: Pick<SqsApi, 'attributes'>) {}

  follow(queues: readonly ConsumedQueue[]): void {
    this.queues = queues;
    const names = new Set(queues.map(({ name }) => name));
    for (const map of [this.known, this.ages])
      for (const name of map.keys()) if (!names.has(name)) map.delete(name);
  }

  /** SQS reports the age of the oldest message to CloudWatch only; that of the last one received comes near it. */
  received({ name }: ConsumedQueue, messages: readonly ReceivedMessage[]): void {
    const sentAt = messages[0]?.sentAt;
    if (sentAt !== undefined) this.ages.set(name, Math.max(0, (Date.now() - sentAt) / 1000));
  }

  async read(): Promise<QueueDepth[]> {
    const { queues } = this;
    const count = Math.min(AT_ONCE, queues.length);
    const turn = Array.from({ length: count }, (_, index) => queues[(this.next + index) % queues.length]);
    this.next = queues.length === 0 ? 0 : (this.next + count) % queues.length;
    await Promise.all(turn.map((queue) => (queue === undefined ? undefined : this.readOne(queue))));
    return this.shown();
  }

  private async readOne({ url, name }: ConsumedQueue): Promise<void> {
    try {
      const { visible, inFlight, delayed } = await this.api.attributes(url);
      const isEmpty = visible + inFlight === 0;
      const oldestSeconds = isEmpty ? 0 : (this.ages.get(name) ?? 0);
      this.known.set(name, { queue: name, messages: visible + delayed, inFlight, oldestSeconds });
    } catch {
      // The API reports it; the depth read before stays.
    }
  }

  private shown(): QueueDepth[] {
    const all = [...this.known.values()];
    if (all.length <= MAX_SHOWN) return all;
    const others = all.slice(MAX_SHOWN);
    return [
      ...all.slice(0, MAX_SHOWN),
      {
        queue: OTHERS,
        messages: others.reduce((sum, { messages }) => sum + messages, 0),
        inFlight: others.reduce((sum, { inFlight }) => sum + inFlight, 0),
        oldestSeconds: Math.max(...others.map(({ oldestSeconds }) => oldestSeconds)),
      },
    ];
  }
}
