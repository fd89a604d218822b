import { filterKey } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import type { EventFilter } from '../events/filter';
import type { ContentFilter } from '../filters/content-filter';
import { EventView } from '../filters/event-view';
import { isWanted } from '../pipeline/route';
import type { Forwarder } from './forwarder';
import { GatewayStream, type GatewayStreamParts } from './gateway-stream';
import { type StreamEvent, streamEventOf } from './stream-event';

export interface ListenerParts extends Omit<GatewayStreamParts, 'onMessage'> {
  readonly forwarder: Pick<Forwarder, 'forward'>;
  readonly events: EventFilter;
  readonly content: ContentFilter | undefined;
  /** What the gateway sent is no event. */
  readonly onUnreadable: (error: unknown) => void;
  /** Events after the one and up to the other may be lost. */
  readonly onGap: (after: string, until: string) => void;
}

export interface ListenCounts {
  readonly delivered: number;
  readonly failed: number;
  readonly leftOut: number;
  readonly gaps: number;
  /** Received, and not forwarded before the end. */
  readonly waiting: number;
  /** Of the last event that is done: what follows it comes when somebody resumes there. */
  readonly lastEventId: string;
}

/** Bytes and events that wait for the server of this machine: the others stay with the gateway meanwhile. */
const MOST_WAITING = 200;
const MOST_WAITING_BYTES = 16_777_216;

interface Waiting {
  readonly id: string;
  readonly envelope: Envelope;
}

/** Receives the events of an instance and forwards them, in their order and one at a time. */
export class Listener {
  private readonly stream: GatewayStream;
  private readonly waiting: Waiting[] = [];
  private waitingBytes = 0;
  private counts = { delivered: 0, failed: 0, leftOut: 0, gaps: 0 };
  private done: string;
  private forwarding: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly parts: ListenerParts) {
    this.done = parts.lastEventId;
    this.stream = new GatewayStream({ ...parts, onMessage: (message) => this.read(message) });
  }

  start(): void {
    this.stream.open();
  }

  get result(): ListenCounts {
    return { ...this.counts, waiting: this.waiting.length, lastEventId: this.done };
  }

  /** Receives nothing more; what waits stays unforwarded. */
  async stop(): Promise<void> {
    this.closed = true;
    this.stream.close();
    await this.forwarding;
  }

  private read(message: Buffer): void {
    let received: StreamEvent;
    try {
      received = streamEventOf(message);
    } catch (error) {
      this.parts.onUnreadable(error);
      return;
    }
    this.take(received);
  }

  private take(received: StreamEvent): void {
    if (this.closed) return;
    this.stream.advance(received.id);
    if (received.kind === 'event') this.enter(received);
    else {
      if (received.kind === 'gap') {
        this.counts.gaps++;
        this.parts.onGap(received.after, received.until);
      }
      this.markDone(received.id);
    }
  }

  private enter({ id, envelope }: Waiting): void {
    if (!this.isWanted(envelope)) {
      this.counts.leftOut++;
      this.markDone(id);
      return;
    }
    this.waiting.push({ id, envelope });
    this.waitingBytes += envelope.body.length;
    if (this.isFull) this.stream.hold();
    this.forwarding ??= this.forwardAll().finally(() => {
      this.forwarding = undefined;
    });
  }

  /** Where nothing is before it that is not done. */
  private markDone(id: string): void {
    if (this.waiting.length === 0) this.done = id;
  }

  private isWanted(envelope: Envelope): boolean {
    const { events, content } = this.parts;
    if (!isWanted(events, filterKey(envelope.event), envelope)) return false;
    return content === undefined || content.passes(new EventView(envelope));
  }

  private get isFull(): boolean {
    return this.waiting.length >= MOST_WAITING || this.waitingBytes >= MOST_WAITING_BYTES;
  }

  private async forwardAll(): Promise<void> {
    for (let next = this.waiting[0]; next !== undefined && !this.closed; next = this.waiting[0]) {
      const isDelivered = await this.parts.forwarder.forward(next.envelope);
      if (isDelivered === undefined) return;
      if (isDelivered) this.counts.delivered++;
      else this.counts.failed++;
      this.leave(next);
    }
  }

  private leave({ id, envelope }: Waiting): void {
    const wasFull = this.isFull;
    this.waiting.shift();
    this.waitingBytes -= envelope.body.length;
    this.done = this.waiting.length === 0 ? this.stream.lastEventId : id;
    if (wasFull && !this.isFull) this.stream.goOn();
  }
}
