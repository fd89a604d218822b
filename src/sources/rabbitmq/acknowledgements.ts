import type { Channel, ConsumeMessage } from 'amqplib';
import type { Settlement } from '../../pipeline/message';
import { monotonicMs } from '../../time/monotonic';

/** How long a settled message may wait for those before it, so that one frame acknowledges them all. */
const STRAGGLER_MS = 10;
/** Fewer settled messages than this share of those held wait for more: each frame wakes us and the broker. */
const WORTH_A_FRAME = 1 / 8;
/** No longer than this. */
const GATHER_MS = 2;
/** Slots of messages that are done with are given back this many at a time. */
const COMPACT_AT = 1024;

interface Held {
  readonly message: ConsumeMessage;
  queue: string | undefined;
  settledAt: number | undefined;
}

/**
 * Sends acknowledgements of one channel, as few frames as possible: everything up to the oldest message that is
 * still held goes as one `multiple` acknowledgement, at the end of the turn of the event loop or, where it is little
 * beside what is held, a moment later; what finished out of order goes later still, by itself. Delivery tags mean
 * nothing on another channel: after `close` nothing is sent.
 *
 * Tags count up by one, so messages lie in an array by tag. A Map would do, but V8 keeps the tables that a Map has
 * outgrown, and with them every message in them, until the next full collection.
 */
export class Acknowledgements {
  /** In order of arrival; undefined once the broker knows. */
  private held: (Held | undefined)[] = [];
  /** Everything before this index is done with. */
  private head = 0;
  /** Tag of the message at index 0. */
  private firstTag = 0;
  private flushScheduled = false;
  private gathering: NodeJS.Timeout | undefined;
  private stragglers: NodeJS.Timeout | undefined;
  private closed = false;
  private heldCount = 0;
  /** Of those held. */
  private settledCount = 0;
  private readonly acknowledged = new Set<string>();

  constructor(private readonly channel: Channel) {}

  get count(): number {
    return this.heldCount;
  }

  /** Of which messages were acknowledged, also after `close`: to be told to whoever closes the channel (session.ts). */
  get queues(): Iterable<string> {
    return this.acknowledged;
  }

  /**
   * A subscription is over for good, although messages of it may be held: the queue is gone or may be gone by the time that the channel
   * is closed, and must not be asked then. The broker would close the channel for it, and forget what other queues have not taken.
   */
  queueLeft(queue: string): void {
    this.acknowledged.delete(queue);
    for (const held of this.held) if (held?.queue === queue) held.queue = undefined;
  }

  /**
   * Must see every message of the channel, in order.
   *
   * @param queue undefined where it only goes back
   */
  hold(message: ConsumeMessage, queue: string | undefined): void {
    if (this.held.length === 0) this.firstTag = message.fields.deliveryTag;
    this.held.push({ message, queue, settledAt: undefined });
    this.heldCount++;
  }

  settle(message: ConsumeMessage, settlement: Settlement): void {
    const index = message.fields.deliveryTag - this.firstTag;
    const held = this.held[index];
    if (this.closed || held === undefined || held.settledAt !== undefined) return;
    if (settlement === 'release') {
      this.forget(index);
      this.channel.nack(message, false, true);
    } else {
      held.settledAt = monotonicMs();
      this.settledCount++;
      if (held.queue !== undefined) this.acknowledged.add(held.queue);
    }
    this.scheduleFlush();
  }

  /** Sends every acknowledgement that waits. */
  flushAll(): void {
    this.flush();
    this.sendStragglers(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.stragglers);
    clearTimeout(this.gathering);
    this.held = [];
    this.heldCount = 0;
    this.settledCount = 0;
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    if (this.settledCount < this.heldCount * WORTH_A_FRAME) {
      this.gathering ??= setTimeout(() => this.flush(), GATHER_MS);
      return;
    }
    this.flushScheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.flushScheduled = false;
    clearTimeout(this.gathering);
    this.gathering = undefined;
    if (this.closed) return;
    let last: ConsumeMessage | undefined;
    for (; this.head < this.held.length; this.head++) {
      const held = this.held[this.head];
      if (held === undefined) continue;
      if (held.settledAt === undefined) break;
      last = held.message;
      this.forget(this.head);
    }
    if (last !== undefined) this.channel.ack(last, true);
    this.compact();
    if (this.heldCount > 0) this.stragglers ??= setTimeout(() => this.afterStragglers(), STRAGGLER_MS);
  }

  private afterStragglers(): void {
    this.stragglers = undefined;
    if (!this.closed) this.sendStragglers(monotonicMs() - STRAGGLER_MS + 1);
  }

  private sendStragglers(settledBefore: number): void {
    let waiting = false;
    for (let index = this.head; index < this.held.length; index++) {
      const held = this.held[index];
      if (held?.settledAt === undefined) continue;
      if (held.settledAt > settledBefore) waiting = true;
      else {
        this.forget(index);
        this.channel.ack(held.message, false);
      }
    }
    if (waiting) this.stragglers ??= setTimeout(() => this.afterStragglers(), STRAGGLER_MS);
  }

  private forget(index: number): void {
    if (this.held[index]?.settledAt !== undefined) this.settledCount--;
    this.held[index] = undefined;
    this.heldCount--;
  }

  private compact(): void {
    if (this.head < COMPACT_AT) return;
    this.held.splice(0, this.head);
    this.firstTag += this.head;
    this.head = 0;
  }
}
