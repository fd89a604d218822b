import type { Delivery, DestinationId, LaneId } from '../../../src/pipeline/delivery';
import type { Epoch } from '../../../src/pipeline/epochs';
import type { SourceMessage } from '../../../src/pipeline/message';
import type { MarkedQueue, OrderMarker, SecondCopies } from '../../../src/sources/source-module';
import { OrderedCopies } from '../../../src/worker/ordered-copies';
import { FakeDestination } from '../harness/pipeline-harness';
import { deliveryTo } from '../values/events';
import type { FakeOrderStore } from './fake-order-store';

export type Action =
  | { readonly what: 'publish'; readonly times: number }
  | { readonly what: 'settle' | 'lose' | 'kill' | 'crowd' | 'room'; readonly worker: number }
  | { readonly what: 'pass'; readonly ms: number }
  | { readonly what: 'lag'; readonly worker: number; readonly ms: number }
  | { readonly what: 'order' };

/** An event, or a marker, in the main queue. */
interface Queued {
  readonly number: number;
  readonly hasCopy: boolean;
  readonly marker?: OrderMarker;
  redelivered: boolean;
}

const ID = 'webhook:global' as DestinationId;
const DELIVERY: Delivery = { ...deliveryTo(new FakeDestination(ID)), lane: 'lane' as LaneId };
const PREFETCH = 3;
const BOUND_AFTER_MS = 1500;

class SwitchWorker implements SecondCopies {
  returned = 0;
  isCrowded = false;
  lagMs = 0;
  readonly copies: OrderedCopies;
  /** Sent by the broker and not read yet. */
  private socket: Queued[] = [];
  private turnedAway: Queued[] = [];
  private held: { readonly message: Queued; readonly epoch: Epoch }[] = [];
  private onMarker: (by: MarkedQueue, marker: OrderMarker) => Promise<void> = async () => {};
  /** Of one channel; what is under way over one that is gone has no effect. */
  private term = {};

  constructor(private readonly world: SwitchWorld) {
    this.copies = new OrderedCopies({
      store: world.store,
      copies: this,
      isOrdered: async () => true,
      doubtSettingsOf: () => {},
      onError: () => {},
    });
    if (world.isOrdered) this.copies.note(ID);
    this.copies.start();
  }

  get isBound(): boolean {
    return this.world.isBound;
  }

  get isHoldingBack(): boolean {
    return this.turnedAway.length > 0;
  }

  get hasRoom(): boolean {
    return this.socket.length + this.turnedAway.length + this.held.length < PREFETCH;
  }

  want(): void {
    this.world.bindSoon();
  }

  mark(where: MarkedQueue, marker: OrderMarker): void {
    this.world.mark(where, marker);
  }

  listen(onMarker: SwitchWorker['onMarker']): void {
    this.onMarker = onMarker;
  }

  marked(by: MarkedQueue, marker: OrderMarker): Promise<void> {
    return this.onMarker(by, marker).catch(() => {});
  }

  receive(message: Queued): void {
    const { term } = this;
    this.socket.push(message);
    setTimeout(() => {
      if (term === this.term) this.read();
    }, this.lagMs);
  }

  settle(): void {
    for (const { epoch, message } of this.held.splice(0)) {
      this.copies.epochs.end(epoch);
      this.world.delivered.add(message.number);
    }
    this.world.pump();
  }

  room(): void {
    this.isCrowded = false;
    const back = this.turnedAway.splice(0);
    if (back.length === 0) return;
    this.returned++;
    this.world.takeBack(back);
  }

  lose(): void {
    this.term = {};
    this.returned++;
    for (const { epoch } of this.held) this.copies.epochs.end(epoch);
    const back = [...this.held.map(({ message }) => message), ...this.turnedAway, ...this.socket];
    [this.held, this.turnedAway, this.socket] = [[], [], []];
    this.world.takeBack(back.sort((a, b) => a.number - b.number));
  }

  private read(): void {
    const [message] = this.socket.splice(0, 1);
    if (message === undefined) return;
    if (message.marker !== undefined) void this.marked('main', message.marker);
    else if (this.isCrowded) this.turnedAway.push(message);
    else void this.take(message);
    this.world.pump();
  }

  private async take(message: Queued): Promise<void> {
    const { copies, term } = this;
    const held = { message, epoch: copies.epochs.begin() };
    this.held.push(held);
    const of = {
      message: { copy: 'main', redelivered: message.redelivered } as SourceMessage,
      epoch: held.epoch,
    };
    const routed = await copies.choose(of, { deliveries: [DELIVERY], filtered: [] });
    if (routed.deliveries.length > 0 || term !== this.term) return;
    if (!message.hasCopy && !this.world.delivered.has(message.number)) this.world.lost.push(message.number);
    this.held.splice(this.held.indexOf(held), 1);
    copies.epochs.end(held.epoch);
    this.world.pump();
  }
}

/** The main queue and workers that consume it, while a destination becomes ordered. */
export class SwitchWorld {
  isOrdered = false;
  isBound = false;
  readonly delivered = new Set<number>();
  /** Events that nobody delivers. */
  readonly lost: number[] = [];
  private isBinding = false;
  private queue: Queued[] = [];
  private published = 0;
  private readonly workers: SwitchWorker[];

  constructor(readonly store: FakeOrderStore) {
    this.workers = [0, 1, 2].map(() => new SwitchWorker(this));
  }

  async happen(action: Action): Promise<void> {
    if (action.what === 'publish') this.publish(action.times);
    else if (action.what === 'pass') await jest.advanceTimersByTimeAsync(action.ms);
    else if (action.what === 'order') this.order();
    else await this.happenTo(action.worker, action);
    await jest.advanceTimersByTimeAsync(0);
    this.check();
  }

  /** Everything is well, and all that came is settled. */
  async quiet(): Promise<void> {
    this.order();
    for (const worker of this.workers) worker.lagMs = 0;
    for (let round = 0; round < 5; round++) {
      for (const worker of this.workers) worker.room();
      await jest.advanceTimersByTimeAsync(10_000);
      for (let times = 0; times < this.published; times++) {
        for (const worker of this.workers) worker.settle();
        await jest.advanceTimersByTimeAsync(1);
      }
    }
    this.check();
    // Time for two sweeps: a worker that was gone is noticed after a while, and what it held is held by others then.
    await jest.advanceTimersByTimeAsync(300_000);
    this.check();
    const unclean = this.store.entries.get(ID)?.unclean.size;
    if (unclean !== 0) throw new Error(`${unclean} workers may hold something of before at the end`);
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map(({ copies }) => copies.stop()));
    jest.clearAllTimers();
  }

  bindSoon(): void {
    if (this.isBinding) return;
    this.isBinding = true;
    setTimeout(() => {
      this.isBound = true;
    }, BOUND_AFTER_MS);
  }

  mark(where: MarkedQueue, marker: OrderMarker): void {
    if (where === 'ordered') void this.workers[0]?.marked('ordered', marker);
    else this.add({ number: this.published++, hasCopy: true, marker, redelivered: false });
  }

  /** What goes back comes first, in its order. */
  takeBack(messages: readonly Queued[]): void {
    for (const message of messages) message.redelivered = true;
    this.queue = [...messages, ...this.queue];
    this.pump();
  }

  pump(): void {
    for (const worker of this.workers)
      for (let next = this.queue[0]; next !== undefined && worker.hasRoom; next = this.queue[0]) {
        this.queue.shift();
        worker.receive(next);
      }
  }

  private publish(times: number): void {
    for (let time = 0; time < times; time++)
      this.add({ number: this.published++, hasCopy: this.isBound, redelivered: false });
  }

  private order(): void {
    this.isOrdered = true;
    for (const { copies } of this.workers) copies.note(ID);
  }

  private async happenTo(
    index: number,
    action: Exclude<Action, { what: 'publish' | 'pass' | 'order' }>,
  ): Promise<void> {
    const worker = this.workers[index];
    if (worker === undefined) return;
    if (action.what === 'settle') worker.settle();
    else if (action.what === 'lag') worker.lagMs = action.ms;
    else if (action.what === 'crowd') worker.isCrowded = true;
    else if (action.what === 'room') worker.room();
    else if (action.what === 'lose') worker.lose();
    else await this.kill(worker, index);
  }

  /** Its copies may be delivered by others, and another one takes its place. */
  private async kill(worker: SwitchWorker, index: number): Promise<void> {
    await worker.copies.stop();
    this.workers[index] = new SwitchWorker(this);
    worker.lose();
  }

  private add(message: Queued): void {
    this.queue.push(message);
    this.pump();
  }

  private check(): void {
    if (this.lost.length > 0) throw new Error(`events without a second copy were left out: ${this.lost}`);
  }
}
