import { Backlog, BacklogBudget } from '../../../src/gateway/websocket/backlog';
import type { ChannelClient, Notice } from '../../../src/gateway/websocket/follower';
import { Channel } from '../../../src/gateway/websocket/stream-channel';
import { compareIds, type StreamId } from '../../../src/gateway/websocket/stream-id';
import { StreamMessage } from '../../../src/gateway/websocket/stream-message';
import type { Page, StreamPlace, StreamReader } from '../../../src/gateway/websocket/stream-reader';
import { deferred } from '../signals/signals';

/** Of a page of the stream in memory. */
export const PAGE = 50;

export const idOf = (number: number): StreamId => `1000-${number}`;

/** A client that keeps what it is sent; while `reads` is false everything stays unread until `takeAll`. */
export class FakeClient implements ChannelClient {
  readonly ids: StreamId[] = [];
  readonly notices: Notice[] = [];
  /** Events and notices as they came: ids, and for a gap `resumedAfter` in brackets. */
  readonly seen: string[] = [];
  isGone = false;
  reads = true;
  unreadBytes = 0;
  copiedBytes = 0;
  bufferBytes = 1_000_000;
  slow = 0;
  private flush = deferred();

  send(message: StreamMessage): void {
    if (this.isGone) return;
    this.ids.push(message.id);
    this.seen.push(message.id);
    if (!this.reads) this.unreadBytes += message.bytes;
  }

  notify(notice: Notice): void {
    this.notices.push(notice);
    this.seen.push(notice.event === 'relay.gap' ? `[${notice.id}]` : notice.event);
  }

  flushed(): Promise<void> {
    return this.unreadBytes === 0 ? Promise.resolve() : this.flush.promise;
  }

  /** It takes what it was sent, and from now on what comes. */
  takeAll(): void {
    this.reads = true;
    this.unreadBytes = 0;
    this.flush.resolve();
    this.flush = deferred();
  }

  tooSlow(): void {
    this.slow++;
    this.isGone = true;
  }
}

/** A stream in memory, as Redis keeps one. Reads wait while `hold` is set. */
export class MemoryStream implements StreamReader {
  entries: { readonly id: StreamId; readonly bytes: number }[] = [];
  born = 'born-1';
  last: StreamId = idOf(0);
  trimmed: StreamId | undefined = idOf(0);
  reads = 0;
  failing = 0;
  private held = Promise.resolve();

  /** Adds entries; returns what is published of them. */
  add(numbers: readonly number[], bytes = 7): StreamMessage[] {
    return numbers.map((number) => {
      const previous = this.last;
      this.last = idOf(number);
      this.entries.push({ id: this.last, bytes });
      return this.message(this.last, previous, bytes, this.born);
    });
  }

  /** Only the newest entries stay. */
  keep(count: number): void {
    const dropped = this.entries.splice(0, Math.max(0, this.entries.length - count));
    this.trimmed = dropped.at(-1)?.id ?? this.trimmed;
  }

  /** Everything is forgotten, and what comes belongs to another stream. */
  flush(born: string): void {
    this.entries = [];
    this.born = born;
    this.last = '0-0';
    this.trimmed = undefined;
  }

  /** Reads answer only after what this returns is called. */
  hold(): () => void {
    const { promise, resolve } = deferred();
    this.held = promise;
    return () => resolve();
  }

  end(): Promise<StreamPlace> {
    return this.read(() => ({ position: this.last, born: this.born }));
  }

  after(_keys: unknown, position: StreamId): Promise<Page> {
    return this.read(() => {
      const isKnown =
        position === this.last || position === this.trimmed || this.entries.some(({ id }) => id === position);
      const from = isKnown ? position : this.resumedAfter(position);
      const following = this.entries.filter(({ id }) => compareIds(id, from) > 0);
      let previous = from;
      const messages = following.slice(0, PAGE).map(({ id, bytes }) => {
        const message = this.message(id, previous, bytes, undefined);
        previous = id;
        return message;
      });
      const gap = isKnown ? undefined : { lastEventId: position, resumedAfter: from };
      return { born: this.born, gap, messages, isMore: following.length > PAGE };
    });
  }

  ends(streams: readonly unknown[]): Promise<StreamId[]> {
    return this.read(() => streams.map(() => this.last));
  }

  private resumedAfter(position: StreamId): StreamId {
    if (this.entries.length === 0 || compareIds(position, this.last) > 0) return this.last;
    const { trimmed } = this;
    return trimmed !== undefined && compareIds(position, trimmed) < 0 ? trimmed : position;
  }

  private message(id: StreamId, previous: StreamId, bytes: number, born: string | undefined): StreamMessage {
    const body = Buffer.from(JSON.stringify({ a: 'x'.repeat(Math.max(0, bytes - 8)) }));
    return new StreamMessage({ id, deliveryId: `dlv_${id}`, event: 'call', previous, born, body });
  }

  private async read<T>(answer: () => T): Promise<T> {
    this.reads++;
    // What is answered is what there is when Redis answers, not when it is asked.
    await this.held;
    if (this.failing > 0) {
      this.failing--;
      throw new Error('away');
    }
    return answer();
  }
}

/** A channel over a stream in memory. */
export class ChannelHarness {
  readonly stream = new MemoryStream();
  readonly errors: unknown[] = [];
  /** Bytes that the channel said it has sent. */
  sentBytes = 0;
  subscriptions = 0;
  empty = 0;
  /** Subscriptions that are refused. */
  refusing = 0;
  readonly channel: Channel;

  constructor(backlogBytes = 1_000_000) {
    const budget = new BacklogBudget(backlogBytes);
    this.channel = new Channel({
      keys: { stream: 's', meta: 'm' },
      reader: this.stream,
      subscribe: async () => {
        this.subscriptions++;
        if (this.refusing-- > 0) throw new Error('refused');
      },
      inTurn: (work) => work(),
      createBacklog: () => new Backlog(budget),
      onSent: (_channel, bytes) => {
        this.sentBytes += bytes;
      },
      onEmpty: () => {
        this.empty++;
      },
      onError: (error) => this.errors.push(error),
    });
  }

  /** Stored and published, as `relayAppend` does both. */
  append(...numbers: number[]): void {
    this.publish(this.stream.add(numbers));
  }

  publish(messages: readonly StreamMessage[]): void {
    for (const message of messages) this.channel.take(message);
  }

  /** Stored; what was published was not heard. */
  store(...numbers: number[]): void {
    this.stream.add(numbers);
  }

  async join(position?: StreamId): Promise<FakeClient & { leave: () => void }> {
    const now = await this.channel.open();
    const client = new FakeClient();
    return Object.assign(client, { leave: this.channel.join(client, position ?? now) });
  }
}
