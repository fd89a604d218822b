import { Backoff } from '../../time/backoff';
import { monotonicMs } from '../../time/monotonic';
import { Consumer, type ConsumerLoss, type ConsumerParts } from './consumer';
import { asRefusal, RefusedError } from './control-channel';
import type { RefusedQueues } from './refused-queues';
import type { Session } from './session';

export interface SubscriptionsParts extends ConsumerParts {
  readonly session: Session;
  /** Of the source, as it outlasts connections. */
  readonly refused: RefusedQueues;
  /** The broker ended the subscription of a queue. */
  readonly onEnded: (queue: string) => void;
  /** The broker closed a channel because a message was held for longer than its consumer_timeout. */
  readonly onHeldTooLong: (reason: Error) => void;
}

/** Queues that share a channel. The broker ends the whole channel over one that it refuses. */
const QUEUES_PER_CHANNEL = 100;
/** Queues become wanted one by one while they are being declared: this gathers some of them. */
const GATHER_MS = 50;
/** Queues that were refused and are tried again at once: each has a channel of its own. */
const RETRIES_AT_ONCE = 20;
const REOPEN = { firstMs: 50, lastMs: 10_000, jitter: 0.2 };
/** A channel that lived so long was no failure. */
const LIVED_MS = 60_000;
const TICK_MS = 5000;

interface Group {
  readonly consumer: Consumer;
  readonly queues: Set<string>;
  /** Of one queue that was refused before: others must not share its channel. */
  readonly isTrial: boolean;
  readonly openedAt: number;
}

/** Consumes the wanted queues of one connection, over as few channels as possible. */
export class Subscriptions {
  private readonly groups = new Set<Group>();
  private readonly groupOf = new Map<string, Group>();
  /** Wanted, and not in a group: new ones, those of a lost channel, those that are refused. */
  private readonly outside = new Set<string>();
  private readonly reopening = new Backoff(REOPEN);
  private readonly ticking: NodeJS.Timeout;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(private readonly parts: SubscriptionsParts) {
    this.ticking = setInterval(() => this.tick(), TICK_MS);
  }

  /** Queues that are consumed, or about to be. */
  get count(): number {
    return this.groupOf.size;
  }

  add(queue: string): void {
    this.outside.add(queue);
    this.applySoon(GATHER_MS);
  }

  remove(queue: string): void {
    this.outside.delete(queue);
    this.leave(queue);
    this.parts.refused.forget(queue);
    this.applySoon(GATHER_MS);
  }

  /** Resolves once every queue that the broker lets us consume is consumed. */
  async settled(): Promise<void> {
    this.apply();
    await Promise.all([...this.groups].map(({ consumer }) => consumer.settled()));
  }

  async stopIntake(): Promise<void> {
    this.end();
    await Promise.all([...this.groups].map(({ consumer }) => consumer.stopIntake()));
  }

  /** Sends every acknowledgement; the broker takes back what is still held. */
  async close(): Promise<void> {
    this.end();
    await Promise.all([...this.groups].map(({ consumer }) => consumer.close()));
  }

  /** The connection is gone. */
  abandon(): void {
    this.end();
    for (const { consumer } of this.groups) consumer.abandon();
  }

  private end(): void {
    this.isStopped = true;
    clearInterval(this.ticking);
    clearTimeout(this.timer);
  }

  private tick(): void {
    this.parts.window.grow();
    this.apply();
  }

  private applySoon(ms: number): void {
    if (this.isStopped) return;
    this.timer ??= setTimeout(() => this.apply(), ms);
  }

  /** Gives every queue a channel, and every channel its share of the window. */
  private apply(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isStopped) return;
    let trials = 0;
    for (const queue of this.outside) {
      const when = this.parts.refused.retry(queue);
      if (when === 'later' || (when === 'now' && trials++ >= RETRIES_AT_ONCE)) continue;
      this.join(queue, when === 'now');
    }
    const share = this.parts.window.share(this.groupOf.size);
    for (const { consumer, queues } of this.groups) consumer.want(new Set(queues), share);
  }

  private join(queue: string, isTrial: boolean): void {
    this.outside.delete(queue);
    const group = (isTrial ? undefined : this.groupWithRoom()) ?? this.open(isTrial);
    group.queues.add(queue);
    this.groupOf.set(queue, group);
  }

  private leave(queue: string): void {
    const group = this.groupOf.get(queue);
    if (group === undefined) return;
    this.groupOf.delete(queue);
    group.queues.delete(queue);
  }

  private groupWithRoom(): Group | undefined {
    for (const group of this.groups)
      if (!group.isTrial && group.queues.size < QUEUES_PER_CHANNEL) return group;
    return undefined;
  }

  private open(isTrial: boolean): Group {
    const consumer = new Consumer(this.parts, {
      onLost: (loss) => this.lost(group, loss),
      onEnded: (queue) => this.ended(queue),
      onCrowded: () => this.apply(),
      onSubscribed: (queue) => this.parts.refused.consumed(queue),
    });
    const group: Group = { consumer, queues: new Set(), isTrial, openedAt: monotonicMs() };
    this.groups.add(group);
    return group;
  }

  private ended(queue: string): void {
    this.leave(queue);
    this.parts.onEnded(queue);
  }

  /** Its queues move to another channel; one that was refused waits for its next try. */
  private lost(group: Group, { reason, subscribing, isQueueRefused, heldTooLong }: ConsumerLoss): void {
    this.groups.delete(group);
    for (const queue of group.queues) {
      this.groupOf.delete(queue);
      this.outside.add(queue);
    }
    if (this.isStopped) return;
    if (isQueueRefused && subscribing !== undefined) this.refused(subscribing, reason);
    else if (subscribing !== undefined) this.suspect(subscribing);
    if (heldTooLong) this.parts.onHeldTooLong(reason);
    if (monotonicMs() - group.openedAt > LIVED_MS) this.reopening.reset();
    this.applySoon(isQueueRefused ? 0 : this.reopening.next());
  }

  private refused(queue: string, reason: Error): void {
    const refusal = asRefusal(reason);
    if (refusal instanceof RefusedError && refusal.isMissing) {
      // It was deleted before it could be consumed.
      this.outside.delete(queue);
      this.parts.onEnded(queue);
    } else this.parts.refused.refuse(queue, refusal);
  }

  /** The broker may have closed the whole connection over this queue, which is known a moment later. */
  private suspect(queue: string): void {
    setImmediate(() => {
      const { lostBy } = this.parts.session;
      if (lostBy?.isRefusal === true) this.parts.refused.refuse(queue, lostBy);
    });
  }
}
