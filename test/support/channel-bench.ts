import type { ChannelClient, Notice } from '../../src/gateway/websocket/follower';
import { Channel } from '../../src/gateway/websocket/stream-channel';
import { compareIds, type StreamId } from '../../src/gateway/websocket/stream-id';
import { StreamMessage } from '../../src/gateway/websocket/stream-message';
import { PAGE, type Reach, type StreamReader } from '../../src/gateway/websocket/stream-reader';
import { deferred } from './signals';

export const idOf = (number: number): StreamId => `1000-${number}`;

export const messageOf = (number: number): StreamMessage =>
  new StreamMessage({
    id: idOf(number),
    deliveryId: `dlv_${number}`,
    event: 'call',
    body: Buffer.from('{"a":1}'),
  });

/** A client that keeps what it is sent; full once told so, until it is told otherwise. */
export class FakeClient implements ChannelClient {
  readonly ids: StreamId[] = [];
  readonly notices: Notice[] = [];
  isGone = false;
  isFull = false;
  slow = 0;
  private flush = deferred();

  send(message: StreamMessage): void {
    if (!this.isGone) this.ids.push(message.id);
  }

  notify(notice: Notice): void {
    this.notices.push(notice);
  }

  flushed(): Promise<void> {
    return this.flush.promise;
  }

  /** It takes what it was sent. */
  takeAll(): void {
    this.isFull = false;
    this.flush.resolve();
    this.flush = deferred();
  }

  tooSlow(): void {
    this.slow++;
    this.isGone = true;
  }
}

/** A channel over a stream in memory; reads wait while `hold` is set. */
export class ChannelBench {
  readonly entries: StreamMessage[] = [];
  readonly errors: unknown[] = [];
  reads = 0;
  subscriptions = 0;
  empty = 0;
  failing = 0;
  /** Subscriptions that are refused. */
  refusing = 0;
  private held = Promise.resolve();
  readonly channel: Channel;

  constructor() {
    const reader = {
      after: (_keys: unknown, position: StreamId) =>
        this.read(() => this.entries.filter(({ id }) => compareIds(id, position) > 0).slice(0, PAGE)),
      end: () => this.read(() => this.entries.at(-1)?.id ?? '0-0'),
      reachOf: (): Promise<Reach> => Promise.resolve('all'),
    } as unknown as StreamReader;
    this.channel = new Channel({
      keys: { stream: 's', meta: 'm' },
      reader,
      subscribe: async () => {
        this.subscriptions++;
        if (this.refusing-- > 0) throw new Error('refused');
      },
      inTurn: (work) => work(),
      onEmpty: () => {
        this.empty++;
      },
      onError: (error) => this.errors.push(error),
    });
  }

  /** Stored and published, as `relayAppend` does both. */
  append(...numbers: number[]): void {
    this.store(...numbers);
    for (const number of numbers) this.channel.take(messageOf(number));
  }

  /** Stored; what was published was not heard. */
  store(...numbers: number[]): void {
    this.entries.push(...numbers.map(messageOf));
  }

  /** Reads answer only after what this returns is called. */
  hold(): () => void {
    const { promise, resolve } = deferred();
    this.held = promise;
    return () => resolve();
  }

  private async read<T>(answer: () => T): Promise<T> {
    this.reads++;
    await this.held;
    if (this.failing > 0) {
      this.failing--;
      throw new Error('away');
    }
    return answer();
  }
}
