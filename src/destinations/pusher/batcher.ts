import type { Outcome, RunningAttempt } from '../../pipeline/delivery';
import { monotonicMs } from '../../time/monotonic';
import type { HttpExchange, HttpResult } from '../http/exchange';
import { BatchEntry, type BatchEntryOwner, type BatchEvent, SharedRequest } from './batch-entry';
import { ChannelQueues } from './channel-queues';
import { blamesAnEvent } from './pusher-answer';

/** Events in one request: Pusher's limit on all its shared clusters. */
export const MAX_BATCH = 10;

export interface BatcherParts {
  /** Sends the body of a batch. */
  readonly send: (body: Buffer) => HttpExchange<HttpResult>;
  readonly toOutcome: (result: HttpResult) => Outcome;
  /** Longest time that an event waits for others while a request could be made. */
  readonly lingerMs: number;
  /** Of a request, and of the wait for one. */
  readonly timeoutMs: number;
  /** Requests at once. */
  readonly maxRequests: number;
}

/** Gathers the events for one app into requests of up to ten. Events of one channel never overtake each other. */
export class Batcher implements BatchEntryOwner {
  private readonly queues = new ChannelQueues();
  private requests = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: BatcherParts) {}

  get timeoutMs(): number {
    return this.parts.timeoutMs;
  }

  add(event: BatchEvent): RunningAttempt {
    const entry = new BatchEntry(event, monotonicMs(), this);
    this.queues.add(entry);
    this.sendReady();
    return entry;
  }

  withdraw(entry: BatchEntry): void {
    this.queues.withdraw(entry);
    this.sendReady();
  }

  /** Sends what is full. The rest the timer sends: what comes in the same turn of the event loop can still join. */
  private sendReady(): void {
    const { queues, parts } = this;
    while (this.hasRoom && queues.readyCount >= MAX_BATCH) this.sendBatch();
    const since = queues.waitingSince;
    if (since === undefined || !this.hasRoom) return this.stopTimer();
    const leftMs = Math.max(0, since + parts.lingerMs - monotonicMs());
    this.timer ??= setTimeout(() => this.timeIsUp(), leftMs);
  }

  private get hasRoom(): boolean {
    return this.requests < this.parts.maxRequests;
  }

  private timeIsUp(): void {
    this.timer = undefined;
    const since = this.queues.waitingSince;
    if (since !== undefined && monotonicMs() - since >= this.parts.lingerMs) this.sendBatch();
    this.sendReady();
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private sendBatch(): void {
    const entries = this.queues.take(MAX_BATCH);
    this.requests++;
    void this.deliver(entries).then(() => {
      this.requests--;
      this.queues.release(entries);
      this.sendReady();
    });
  }

  /** Where Pusher blames an event of several, each half is sent anew, until the one to blame is alone. */
  private async deliver(all: readonly BatchEntry[]): Promise<void> {
    const entries = all.filter(({ isOpen }) => isOpen);
    if (entries.length === 0) return;
    const result = await this.exchange(entries);
    if (entries.length > 1 && blamesAnEvent(result)) {
      for (const entry of entries) entry.unshare();
      const half = entries.length >> 1;
      await this.deliver(entries.slice(0, half));
      await this.deliver(entries.slice(half));
      return;
    }
    const outcome = this.parts.toOutcome(result);
    for (const entry of entries) entry.end(outcome);
  }

  private exchange(entries: readonly BatchEntry[]): Promise<HttpResult> {
    const exchange = this.parts.send(Buffer.from(`{"batch":[${entries.map(({ text }) => text).join(',')}]}`));
    const shared = new SharedRequest(exchange, entries.length, this.parts.timeoutMs);
    for (const entry of entries) entry.share(shared);
    return exchange.outcome;
  }
}
