import { randomBytes } from 'node:crypto';
import { instanceOf } from '../destinations/destination-ids';
import type { Delivery, DestinationId } from '../pipeline/delivery';
import { Epochs } from '../pipeline/epochs';
import type { InFlight } from '../pipeline/in-flight';
import type { SourceMessage } from '../pipeline/message';
import type { Routed } from '../pipeline/route';
import type { StoredCalls } from '../retry/retry-store';
import type { MarkedQueue, OrderMarker, SecondCopies } from '../sources/source-module';
import { Looks } from '../time/looks';
import { monotonicMs } from '../time/monotonic';
import { OrderMarks } from './order-marks';
import { OrderPace } from './order-pace';
import { FRESH_MS, OrderView, type RawEntry } from './order-view';
import { TermGate } from './term-gate';

export interface OrderedCopiesParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  /** Undefined where no source has two copies of each event. */
  readonly copies: SecondCopies | undefined;
  /** Whether a destination is ordered, as its settings say now. */
  readonly isOrdered: (id: DestinationId) => Promise<boolean>;
  /** Reads the settings of its instance anew before they are asked for. */
  readonly doubtSettingsOf: (id: DestinationId) => void;
  readonly onError: (error: unknown) => void;
}

const TICK_MS = 2000;
/** By then all workers bind what is new to the ordered queue, too. */
const BOUND_EVERYWHERE_MS = 6000;

/**
 * Sees to it that each event reaches an ordered destination by one of its two copies: by the one of the main queue until it is
 * certain that the other one does, and by both for a moment in between (order-view.ts). A marker that passes a queue shows that
 * everything that was in it before is done with.
 */
export class OrderedCopies {
  readonly epochs = new Epochs();
  private readonly view = new OrderView(this.epochs);
  /** Under which it may hold messages of before; where one went back, that name never says any more that it holds none. */
  private worker = newName();
  private returned = 0;
  /** Ordered by their settings, as far as they were heard of. */
  private readonly wanted = new Set<DestinationId>();
  private readonly marks = new OrderMarks();
  private readonly waiting: (() => void)[] = [];
  private readonly pace = new OrderPace();
  private readonly looks = new Looks(TICK_MS, () => this.look());
  private readonly gate = new TermGate({
    refresh: () => this.refresh(),
    // The worker that had the queue before may have known more.
    onReady: () => {
      for (const [id] of this.view.all) this.parts.doubtSettingsOf(id);
    },
  });

  constructor(private readonly parts: OrderedCopiesParts) {
    parts.copies?.listen(
      (by, marker) => this.marked(by, marker),
      () => void parts.store.call('relayOrderAnew').catch(parts.onError),
    );
  }

  start(): void {
    if (this.parts.copies === undefined) return;
    this.looks.start();
    this.looks.soon();
  }

  async stop(): Promise<void> {
    this.gate.stop();
    await this.looks.stop();
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** A destination is ordered by its settings. */
  note(id: DestinationId): void {
    if (this.parts.copies === undefined || this.wanted.has(id)) return;
    this.wanted.add(id);
    // Those of a worker that begins are known to be ordered by the others.
    if (!this.view.isFresh || this.isLeft(id)) this.looks.soon();
  }

  /** Hands a message over; of the ordered queue only once it is known for whom that is. */
  take(message: SourceMessage, handOver: () => void): void {
    if (message.copy !== 'ordered' || message.term === undefined) handOver();
    else this.gate.take(message.term, handOver);
  }

  /** What of a message this copy is for; of what conditions on content leave out, too: each counts once. */
  choose(copy: Pick<InFlight, 'message' | 'epoch'>, routed: Routed): Routed | Promise<Routed> {
    const { deliveries, filtered } = routed;
    const { copy: which } = copy.message;
    if (which === undefined) return routed;
    if (which === 'ordered') {
      const isChosen = (each: Delivery): boolean => this.isByOrderedQueue(each);
      return { deliveries: deliveries.filter(isChosen), filtered: filtered.filter(isChosen) };
    }
    if (deliveries.every(isPlain) && filtered.every(isPlain)) return routed;
    if (!this.view.isFresh) return this.untilFresh().then(() => this.choose(copy, routed));
    const own = { deliveries: this.ofMainCopy(copy, deliveries), filtered: this.ofMainCopy(copy, filtered) };
    const count = own.deliveries.length + own.filtered.length;
    return { isSharedOut: count < deliveries.length + filtered.length, ...own };
  }

  private ofMainCopy(
    { message, epoch }: Pick<InFlight, 'message' | 'epoch'>,
    deliveries: readonly Delivery[],
  ): readonly Delivery[] {
    return deliveries.flatMap((delivery) => {
      const { lane, ...plain } = delivery;
      if (lane === undefined) return delivery;
      const { id } = plain.destination;
      return this.view.isLeftOut(id, epoch?.number ?? 0, message.redelivered) ? [] : plain;
    });
  }

  /** What stands in for destinations that cannot be known stands in for ordered ones, too. */
  private isByOrderedQueue({ destination, envelope }: Delivery): boolean {
    if (destination.kind !== 'unreadable') return this.view.of(destination.id) !== undefined;
    return [...this.view.all].some(([id]) => instanceOf(id) === envelope.instance);
  }

  private async untilFresh(): Promise<void> {
    if (this.looks.isStopped) throw new Error('stopped');
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.looks.isStopped) throw new Error('stopped');
  }

  private async look(): Promise<void> {
    if (this.pace.isDue(monotonicMs())) await this.tick().catch(this.parts.onError);
  }

  /** By its settings it may be ordered; its events come by the main queue alone, or will. */
  private isLeft(id: DestinationId): boolean {
    return (this.view.of(id)?.state ?? 'leaving') === 'leaving';
  }

  private async tick(): Promise<void> {
    const { store, copies } = this.parts;
    if (copies === undefined || !(await this.refresh())) return;
    const joining = [...this.wanted].filter((id) => this.isLeft(id));
    if (joining.length > 0) {
      await store.call('relayOrderJoin', ...joining);
      await this.refresh();
    }
    if (this.view.size === 0) return;
    copies.want();
    await this.leave();
    if (!copies.isBound) return;
    const sweeps = this.view.takeSweeps();
    if (sweeps.length > 0) copies.mark('main', { kind: 'sweep', destinations: sweeps });
    this.mark('join', (state, ageMs) => state === 'joining' && ageMs >= BOUND_EVERYWHERE_MS);
    this.mark('leave', (state, ageMs) => state === 'leaving' && ageMs >= FRESH_MS);
  }

  /** Whether it is known now how things stand. */
  private async refresh(): Promise<boolean> {
    const { store, onError } = this.parts;
    if (!store.isReady) return false;
    const askedAt = monotonicMs();
    try {
      const raw = await store.call('relayOrder', this.nameNow(), ...this.clean());
      this.view.read(raw as RawEntry[], askedAt);
      const now = monotonicMs();
      this.pace.answered(now, now - askedAt, this.view.size);
    } catch (error) {
      onError(error);
      return false;
    }
    for (const wake of this.waiting.splice(0)) wake();
    return true;
  }

  /** What came before and went back is held by nobody, and may come to anybody: as if this worker had been killed. */
  private nameNow(): string {
    const { returned = 0 } = this.parts.copies ?? {};
    if (returned !== this.returned) this.worker = newName();
    this.returned = returned;
    return this.worker;
  }

  /** Destinations for which no message of before is held here, each with the generation that this is true of. */
  private clean(): readonly string[] {
    if (this.parts.copies?.isHoldingBack === true) return [];
    return [...this.view.all].flatMap(([id, { cleanEpoch, generation }]) =>
      cleanEpoch !== undefined && this.epochs.isSettledBefore(cleanEpoch) ? [id, generation] : [],
    );
  }

  private async leave(): Promise<void> {
    const leaving: DestinationId[] = [];
    for (const [id, { state }] of this.view.all) {
      if (state === 'leaving' || (await this.parts.isOrdered(id))) continue;
      this.wanted.delete(id);
      leaving.push(id);
    }
    if (leaving.length > 0) await this.parts.store.call('relayOrderLeave', FRESH_MS, ...leaving);
  }

  private mark(kind: OrderMarker['kind'], isDue: (state: string, ageMs: number) => boolean): void {
    const now = monotonicMs();
    const destinations: [id: string, since: string][] = [];
    for (const [id, { state, since, ageMs }] of this.view.all) {
      if (isDue(state, ageMs) && this.marks.take(`${kind} ${since} ${id}`, now))
        destinations.push([id, since]);
    }
    if (destinations.length > 0) this.parts.copies?.mark('ordered', { kind, destinations });
  }

  /** A marker has passed. */
  private async marked(by: MarkedQueue, marker: OrderMarker): Promise<void> {
    const { store, copies, doubtSettingsOf } = this.parts;
    const ids = marker.destinations.flat();
    if (marker.kind === 'sweep') return void (await store.call('relayOrderSwept', ...ids));
    if (by === 'main') await store.call('relayOrderDone', ...ids);
    else if (marker.kind === 'leave') await store.call('relayOrderGone', ...ids);
    if (!(await this.refresh())) throw new Error('Redis is away');
    if (by === 'main' || marker.kind === 'leave') return;
    // From here on the worker that gets the ordered queue knows of them.
    for (const [id] of marker.destinations) doubtSettingsOf(id as DestinationId);
    copies?.mark('main', marker);
  }
}

function newName(): string {
  return randomBytes(9).toString('base64url');
}

function isPlain({ lane }: Delivery): boolean {
  return lane === undefined;
}
