import type { Logger } from '../../observability/logging';
import { monotonicMs } from '../../time/monotonic';
import { ControlChannel } from './control-channel';
import type { ListedQueue } from './listed-queues';
import { OwnQueues } from './own-queues';
import { pulse } from './pulse';
import { QueueTally } from './queue-tally';
import type { Refusals } from './refusals';
import { type Connect, ConnectionLostError, type Session } from './session';
import { trySuspect } from './suspects';
import type { ConsumedExchange, TopologyOptions } from './topology';
import type { TopologyUnit } from './topology-unit';
import { TopologyUnits } from './topology-units';
import type { UnwantedBindings } from './unwanted-bindings';

export interface TopologyKeeperParts {
  readonly topology: TopologyOptions;
  /** Queues that are consumed as they are. */
  readonly queues?: readonly ListedQueue[];
  readonly connect: Connect;
  /** Everything is looked at again after this at most. */
  readonly recheckMs: number;
  readonly refusals: Refusals;
  /** A queue is to be consumed from now on, or no longer. */
  readonly onQueue: (queue: string, isWanted: boolean) => void;
  /** Everything that was due was looked at. */
  readonly onPass: () => void;
  /** The ordered queue was declared just now. */
  readonly onOrderedNew: () => void;
  readonly unwanted: UnwantedBindings;
  readonly log: Logger;
}

/** Exchanges looked at side by side while all of them are due. */
const CHANNELS = 4;
const TICK_MS = 1000;
/** Instances whose bindings of earlier processes are taken away within a second: it takes fifty questions each. */
const TIDIED_AT_ONCE = 20;
/** Pause after a queue went away: whoever deletes it may be deleting more. */
const REDECLARE_MS = 500;
/** Suspects tried in one pass: each may cost a connection. */
const SUSPECTS_AT_ONCE = 10;

/**
 * Keeps exchanges, queues and bindings at the broker as they are wanted: declares what is missing, looks at everything
 * again once a minute, and tries what was refused again. One exchange or queue that fails is left out and logged, and
 * all others go on.
 */
export class TopologyKeeper {
  private readonly units: TopologyUnits;
  private readonly tally: QueueTally;
  private readonly own: OwnQueues;
  private isAllBound = false;
  private wantsOwn = false;
  /** Instances whose old bindings may be looked for before the next tick. */
  private tidyBudget = 0;
  /** When queues that went away are declared again; 0 where none did. */
  private redeclareAt = 0;
  private isStopped = false;
  private wake: () => void = () => {};

  constructor(private readonly parts: TopologyKeeperParts) {
    const { topology, recheckMs, refusals, unwanted, log, queues = [] } = parts;
    this.tally = new QueueTally(parts.onQueue);
    this.own = new OwnQueues({ topology, recheckMs, refusals, log });
    this.units = new TopologyUnits({ queues, recheckMs, tally: this.tally, refusals, unwanted, log });
  }

  /** Queues that are to be consumed. */
  get queues(): Iterable<string> {
    return this.tally.queues;
  }

  /** The instance whose queue this is; undefined for one that the operator configured. */
  instanceOf(queue: string): string | undefined {
    return this.tally.instanceOf(queue);
  }

  /** The ordered queue, which is consumed in another way, while there is one. */
  get orderedQueues(): readonly string[] {
    return this.own.orderedQueues;
  }

  /** Every exchange is bound to the ordered queue, too; one of an instance that is refused holds up nobody else. */
  get isOrderedBound(): boolean {
    return this.own.isOrderedReady && this.isAllBound && !this.units.isOperatorsOut;
  }

  wantOrdered(): void {
    if (this.own.wantOrdered()) this.wake();
  }

  /** Queues went away, and were not declared again yet. */
  get isBehind(): boolean {
    return this.redeclareAt > 0;
  }

  /** Consumes an exchange too, or with another filter than before; at the latest when the broker is back. */
  put(exchange: ConsumedExchange): void {
    if (this.units.put(exchange, this.own.topology)) this.wake();
  }

  /** Consumes the exchange of an instance no longer. */
  drop(instance: string): void {
    this.units.drop(instance);
    this.wake();
  }

  /** The broker ended a subscription: the queue was deleted, or moved. */
  queueEnded(queue: string): void {
    this.redeclareAt = monotonicMs() + REDECLARE_MS;
    const isOwn = this.own.hasten(queue, REDECLARE_MS);
    if (!this.own.isReady) this.wantOwn(false);
    this.units.queueEnded(queue, isOwn, this.redeclareAt);
  }

  /** Resolves once the connection is lost, or the keeper was stopped. */
  async run(session: Session): Promise<void> {
    const channels = Array.from({ length: CHANNELS }, () => new ControlChannel(session));
    void session.lost.then(() => this.wake());
    try {
      this.beginAnew();
      await this.pass(channels);
      for (const channel of channels.splice(1)) channel.close();
      while (!session.isLost && !this.isStopped) {
        await this.nap();
        if (session.isLost || this.isStopped) break;
        await this.tick(channels);
      }
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error;
    } finally {
      for (const channel of channels) channel.close();
    }
  }

  stop(): void {
    this.isStopped = true;
    this.wake();
  }

  /** Nothing is known of a broker that was away: it may be another one. */
  private beginAnew(): void {
    this.redeclareAt = 0;
    this.own.beginAnew();
    this.isAllBound = false;
    this.units.beginAnew();
  }

  private async tick(channels: readonly ControlChannel[]): Promise<void> {
    const now = monotonicMs();
    this.units.markDue(now);
    this.tidyBudget = TIDIED_AT_ONCE;
    const [someQueue] = this.tally.queues;
    for (const channel of channels) await pulse(channel, someQueue);
    if (this.redeclareAt <= now) this.redeclareAt = 0;
    await this.pass(channels);
  }

  private async pass(channels: readonly ControlChannel[]): Promise<void> {
    const [first] = channels;
    if (first === undefined || this.isStopped) return;
    const hasOwnQueue = await this.ensureOwnQueue(first);
    if (hasOwnQueue) await this.releaseUnwanted(first);
    const canGoOn = (unit: TopologyUnit): boolean => hasOwnQueue || !unit.needsOwnQueue(this.parts.topology);
    for (let batch = this.units.takeDue(canGoOn); batch.length > 0; batch = this.units.takeDue(canGoOn)) {
      const left = batch.values();
      await Promise.all(channels.map((channel) => this.work(left, channel)));
    }
    this.isAllBound = this.own.isOrderedReady;
    if (!this.isStopped) this.parts.onPass();
    await this.parts.unwanted.save();
    if (hasOwnQueue) await this.trySuspects();
  }

  /** Whether exchanges can be bound. */
  private async ensureOwnQueue(control: ControlChannel): Promise<boolean> {
    if (this.own.areShared) return true;
    const { isNew, isOrderedNew } = await this.own.ensure(control);
    this.wantOwn(this.own.isReady);
    if (isOrderedNew) this.parts.onOrderedNew();
    if (!isNew) return this.own.isReady;
    // A new queue has no bindings.
    this.isAllBound = false;
    this.units.markAllDue();
    return this.own.isReady;
  }

  private wantOwn(isWanted: boolean): void {
    if (isWanted === this.wantsOwn) return;
    this.wantsOwn = isWanted;
    const { queue } = this.parts.topology;
    this.tally.replace(isWanted ? [] : [queue], isWanted ? [queue] : []);
  }

  private async work(batch: IterableIterator<TopologyUnit>, control: ControlChannel): Promise<void> {
    for (const unit of batch) {
      if (this.isStopped) return;
      try {
        await this.ensure(unit, control);
      } catch (error) {
        // It may be the one that the broker closed the connection over.
        if (error instanceof ConnectionLostError && error.isRefusal) unit.suspect();
        throw error;
      }
    }
  }

  private async ensure(unit: TopologyUnit, control: ControlChannel): Promise<void> {
    const mayTidy = unit.instance === undefined || this.tidyBudget-- > 0;
    this.units.settle(unit, await unit.ensure(control, this.own.topology, mayTidy));
  }

  /** An exchange that is wanted in another way, such as for an instance of its name, keeps what that asks for. */
  private async releaseUnwanted(control: ControlChannel): Promise<void> {
    const { unwanted, topology } = this.parts;
    if (!this.own.areShared) await unwanted.recall(monotonicMs(), (key) => this.units.has(key));
    await unwanted.release(control, this.own.names, (name, pattern) =>
      this.units.wantsBinding(name, pattern, topology),
    );
  }

  private async trySuspects(): Promise<void> {
    for (const unit of this.units.dueSuspects(monotonicMs()).slice(0, SUSPECTS_AT_ONCE)) {
      if (this.isStopped) return;
      unit.postpone(monotonicMs() + this.parts.recheckMs);
      const refused = await trySuspect(unit, this.parts.connect, (control) => this.ensure(unit, control));
      if (refused !== undefined) this.units.refuse(unit, refused);
    }
  }

  private nap(): Promise<void> {
    if (this.own.isReady && (this.units.hasDue || this.parts.unwanted.size > 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, TICK_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
