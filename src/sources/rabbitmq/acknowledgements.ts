import type { Channel, ConsumeMessage } from 'amqplib';
import type { Settlement } from '../../pipeline/message';

/** How long a settled message may wait for those before it, so that one frame acknowledges them all. */
const STRAGGLER_MS = 10;

interface Held {
  readonly message: ConsumeMessage;
  settledAt: number | undefined;
}

/**
 * Sends acknowledgements of one channel, as few frames as possible: everything up to the oldest message that is
 * still held goes as one `multiple` acknowledgement per turn of the event loop, what finished out of order a
 * moment later by itself. Delivery tags mean nothing on another channel: after `close` nothing is sent.
 */
export class Acknowledgements {
  /** By delivery tag, in order of arrival. */
  private readonly held = new Map<number, Held>();
  private flushScheduled = false;
  private stragglers: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly channel: Channel) {}

  get count(): number {
    return this.held.size;
  }

  hold(message: ConsumeMessage): void {
    this.held.set(message.fields.deliveryTag, { message, settledAt: undefined });
  }

  settle(message: ConsumeMessage, settlement: Settlement): void {
    const held = this.held.get(message.fields.deliveryTag);
    if (this.closed || held === undefined || held.settledAt !== undefined) return;
    if (settlement === 'release') {
      this.held.delete(message.fields.deliveryTag);
      this.channel.nack(message, false, true);
      return;
    }
    held.settledAt = Date.now();
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Sends every acknowledgement that waits. */
  flushAll(): void {
    this.flush();
    this.sendStragglers(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.stragglers);
    this.held.clear();
  }

  private flush(): void {
    this.flushScheduled = false;
    if (this.closed) return;
    let last: ConsumeMessage | undefined;
    for (const [tag, { message, settledAt }] of this.held) {
      if (settledAt === undefined) break;
      last = message;
      this.held.delete(tag);
    }
    if (last !== undefined) this.channel.ack(last, true);
    if (this.held.size > 0) this.stragglers ??= setTimeout(() => this.afterStragglers(), STRAGGLER_MS);
  }

  private afterStragglers(): void {
    this.stragglers = undefined;
    if (this.closed) return;
    this.sendStragglers(Date.now() - STRAGGLER_MS + 1);
  }

  private sendStragglers(settledBefore: number): void {
    let waiting = false;
    for (const [tag, { message, settledAt }] of this.held) {
      if (settledAt === undefined) continue;
      if (settledAt > settledBefore) {
        waiting = true;
        continue;
      }
      this.held.delete(tag);
      this.channel.ack(message, false);
    }
    if (waiting) this.stragglers ??= setTimeout(() => this.afterStragglers(), STRAGGLER_MS);
  }
}
