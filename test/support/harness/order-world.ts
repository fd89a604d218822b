import type { DestinationId } from '../../../src/pipeline/delivery';
import type { MarkedQueue, OrderMarker, SecondCopies } from '../../../src/sources/source-module';
import { LATE_MS } from '../../../src/worker/order-view';
import { OrderedCopies } from '../../../src/worker/ordered-copies';
import { turns } from '../signals/signals';

/** The destination that is ordered. */
export const ID = 'webhook:global' as DestinationId;
export const SINCE = '7';
const TICK_MS = 2000;

/** What Redis and RabbitMQ would answer to one worker; its clock is jest's. */
export class OrderWorld implements SecondCopies {
  isBound = true;
  isReady = true;
  isOrdered = true;
  entry: [state: string, ageMs: number, unclean: number] | undefined;
  readonly calls: string[] = [];
  returned = 0;
  isHoldingBack = false;
  /** Workers that may hold messages of before. */
  readonly unclean = new Set<unknown>();
  sweep = '';
  private generation = SINCE;
  private worker: unknown;
  private orderedAt: number | undefined;
  readonly marks: [where: MarkedQueue, marker: OrderMarker][] = [];
  wanted = 0;
  onMarker: (by: MarkedQueue, marker: OrderMarker) => Promise<void> = async () => {};
  onNew: () => void = () => {};
  readonly copies: OrderedCopies;

  constructor() {
    const world = this;
    this.copies = new OrderedCopies({
      store: {
        get isReady() {
          return world.isReady;
        },
        call: async (script, ...args) => this.call(script, args),
      },
      copies: this,
      isOrdered: async () => this.isOrdered,
      doubtSettingsOf: () => {},
      onError: () => {},
    });
  }

  want(): void {
    this.wanted++;
  }

  mark(where: MarkedQueue, marker: OrderMarker): void {
    this.marks.push([where, marker]);
  }

  listen(onMarker: OrderWorld['onMarker'], onNew: () => void): void {
    this.onMarker = onMarker;
    this.onNew = onNew;
  }

  /** A look at Redis, with what it says now. */
  async tick(): Promise<void> {
    await jest.advanceTimersByTimeAsync(TICK_MS);
    await turns();
  }

  async start(): Promise<void> {
    this.copies.start();
    await turns();
  }

  /** A marker has passed both queues, just now. */
  isOrderedNow(): void {
    this.entry = ['ordered', 0, 0];
    this.unclean.add(this.worker);
    this.orderedAt = Date.now();
  }

  /** Of further destinations, and how long it takes to say so. */
  crowd = 0;
  takesMs = 0;
  asked = 0;

  private call(script: string, args: readonly unknown[]): unknown {
    const answer = this.answer(script, args);
    if (script !== 'relayOrder') return answer;
    this.asked++;
    if (this.crowd === 0) return answer;
    const others = Array.from({ length: this.crowd }, (_, n) => [
      `webhook:instance/${n}`,
      'ordered',
      SINCE,
      90_000,
      0,
      SINCE,
      '',
    ]);
    const all = [...(answer as unknown[]), ...others];
    return new Promise((resolve) => setTimeout(() => resolve(all), this.takesMs));
  }

  private answer(script: string, args: readonly unknown[]): unknown {
    if (script !== 'relayOrder') this.calls.push([script, ...args].join(' '));
    if (script === 'relayOrderJoin') this.entry = ['joining', 0, 0];
    if (script === 'relayOrderDone') this.entry = ['ordered', LATE_MS, 0];
    if (script === 'relayOrderLeave') this.entry = ['leaving', 0, 0];
    if (script === 'relayOrderGone') this.entry = undefined;
    if (script === 'relayOrderSwept') this.swept();
    if (script === 'relayOrder') this.heard(args);
    const { entry, generation } = this;
    if (entry === undefined) return [];
    const ageMs = this.orderedAt === undefined ? entry[1] : Date.now() - this.orderedAt;
    const sweep = this.sweep;
    this.sweep = '';
    return [[ID, entry[0], SINCE, ageMs, Math.max(entry[2], this.unclean.size), generation, sweep]];
  }

  private heard([worker, id, generation]: readonly unknown[]): void {
    this.worker = worker;
    if (id === ID && generation === this.generation) this.unclean.delete(worker);
  }

  private swept(): void {
    this.generation = String(Number(SINCE) + Date.now() - (this.orderedAt ?? 0));
    this.unclean.clear();
    this.unclean.add(this.worker);
  }
}
