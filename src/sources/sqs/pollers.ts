import { monotonicMs } from '../../time/monotonic';
import { BATCH, type ReceivedMessage, type SqsApi } from './api';
import type { Inbox } from './inbox';
import type { IntakeBudget } from './intake-budget';
import type { ConsumedQueue } from './queue-names';
import { type Poll, type PollResult, Rotation } from './rotation';
import { isOfQueue, troubleOf } from './trouble';

export interface PollersParts {
  readonly api: Pick<SqsApi, 'receive' | 'abandonReceiving'>;
  readonly inbox: Pick<Inbox, 'free' | 'receive' | 'refuse'>;
  readonly budget: Pick<IntakeBudget, 'reserve' | 'unreserve'>;
  readonly maxPolls: number;
  readonly maxMessages: number;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
  readonly onReceived: (queue: ConsumedQueue, messages: readonly ReceivedMessage[]) => void;
  readonly onGone: (queue: ConsumedQueue) => void;
}

/** Room for less than a whole batch is given this time to become more: calls are billed, and cost time. */
const GATHER_MS = 20;
/** Beyond the wait that a poll asked for; one that is not answered by then is given up on. */
const STOP_MARGIN_MS = 1000;

/** Polls the queues, as many at once as there is room for. */
export class Pollers {
  private readonly rotation: Rotation;
  private queues = new Map<string, ConsumedQueue>();
  private readonly underWay = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private gathering: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly parts: PollersParts) {
    this.rotation = new Rotation(parts);
  }

  get queueCount(): number {
    return this.queues.size;
  }

  has(queueUrl: string): boolean {
    return this.queues.has(queueUrl);
  }

  /** From now on these queues; what polls of others still bring goes back. */
  consume(queues: readonly ConsumedQueue[]): void {
    const before = this.queues;
    this.queues = new Map(queues.map((queue) => [queue.url, queue]));
    for (const url of before.keys()) if (!this.queues.has(url)) this.rotation.remove(url);
    for (const url of this.queues.keys()) this.rotation.add(url, monotonicMs());
    this.wake();
  }

  retryNow(): void {
    this.rotation.retryNow(monotonicMs());
    this.wake();
  }

  /** Begins what polls there is room for. */
  wake(): void {
    if (!this.stopped && this.parts.inbox.free > 0) this.begin(Math.min(BATCH, this.parts.maxMessages));
  }

  /**
   * Resolves when no poll is under way any more. They are waited for, as SQS may have hidden messages for a poll that
   * was given up on: those would be away until their lease is over.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.gathering);
    if (this.underWay.size === 0) return;
    const late = setTimeout(() => this.abandon(), this.parts.waitSeconds * 1000 + STOP_MARGIN_MS);
    await Promise.all(this.underWay);
    clearTimeout(late);
  }

  /** What is being received is given up on: it comes again when its lease is over. */
  abandon(): void {
    this.parts.api.abandonReceiving();
  }

  /** Polls, the first of at least this many messages; the others make whole batches. */
  private begin(least: number): void {
    const { inbox } = this.parts;
    // The clock is read once: what becomes due between two would be neither begun nor waited for.
    const now = monotonicMs();
    for (let wanted = least; inbox.free >= wanted; wanted = BATCH) {
      const poll = this.rotation.begin(inbox.free, now);
      const queue = poll && this.queues.get(poll.queueUrl);
      if (poll === undefined || queue === undefined) break;
      this.track(queue, poll);
    }
    if (inbox.free > 0 && inbox.free < BATCH) this.gather();
    this.sleep(now);
  }

  /** Room for less than a whole batch is used when it has not become more for a while. */
  private gather(): void {
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      if (!this.stopped) this.begin(1);
    }, GATHER_MS);
  }

  private track(queue: ConsumedQueue, poll: Poll): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    this.parts.budget.reserve(poll.max);
    const made = this.poll(queue, poll).finally(() => {
      this.underWay.delete(made);
      this.wake();
    });
    this.underWay.add(made);
  }

  /** Until the next queue is due. What becomes possible by the end of a poll, or by room, wakes by itself. */
  private sleep(now: number): void {
    clearTimeout(this.timer);
    const dueInMs = this.rotation.dueInMs(now);
    if (dueInMs === undefined || dueInMs === 0) return;
    this.timer = setTimeout(() => this.wake(), dueInMs);
  }

  private async poll(queue: ConsumedQueue, poll: Poll): Promise<void> {
    const { api, inbox, budget, onReceived, onGone, visibilitySeconds } = this.parts;
    const { max, waitSeconds } = poll;
    let result: PollResult = 'failed';
    try {
      const messages = await api.receive(queue.url, { max, waitSeconds, visibilitySeconds });
      result = messages.length >= max ? 'full' : messages.length > 0 ? 'some' : 'none';
      budget.unreserve(max);
      if (this.queues.has(queue.url)) {
        onReceived(queue, messages);
        inbox.receive(queue, messages, monotonicMs());
      } else inbox.refuse(queue, messages, monotonicMs());
    } catch (error) {
      budget.unreserve(max);
      const trouble = troubleOf(error);
      if (isOfQueue(trouble)) result = 'denied';
      if (trouble === 'gone') onGone(queue);
    }
    this.rotation.end(poll, result, monotonicMs());
  }
}
