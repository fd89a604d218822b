import type { Envelope } from '../events/envelope';
import type { EventId } from '../events/event-id';
import type { Deduplication } from './deduplication';
import type { Delivery } from './delivery';
import type { DirectResult, ResultSink } from './direct-attempts';
import type { Epoch } from './epochs';
import type { Settlement, SourceMessage } from './message';
import type { Routed } from './route';
import type { EventTrace } from './tracing';

/** Hears of a message when all of its deliveries have a result. */
export interface InFlightOwner {
  completed(inFlight: InFlight): void;
}

/** A source message on its way through the pipeline: what it became, and what is known of each delivery so far. */
export class InFlight implements ResultSink {
  /** The next one in flight of the same event (events-in-flight.ts). */
  next: InFlight | undefined;
  private routed: readonly Delivery[] = [];
  private leftOut: readonly Delivery[] = [];
  private isSharedOut = false;
  private readonly known: DirectResult[] = [];
  private missing = 0;
  /** Places of the deliveries that were not begun. */
  private letGo: number[] | undefined;
  private claim: Deduplication | undefined;
  /** When it came (epochs.ts). */
  epoch: Epoch | undefined;
  /** Where it is traced. */
  trace: EventTrace | undefined;

  constructor(
    private held: SourceMessage,
    readonly envelope: Envelope,
    private readonly owner: InFlightOwner,
  ) {}

  /** The message as the source handed it over last. */
  get message(): SourceMessage {
    return this.held;
  }

  get isLost(): boolean {
    return this.held.isLost;
  }

  get term(): object | undefined {
    return this.held.term;
  }

  get isOrderedCopy(): boolean {
    return this.held.copy === 'ordered';
  }

  /** The two copies of an event are claimed apart. */
  get claimKey(): EventId {
    const { id } = this.envelope;
    return this.isOrderedCopy ? (`${id}:ordered` as EventId) : id;
  }

  get deliveries(): readonly Delivery[] {
    return this.routed;
  }

  /** By the place of each delivery; complete once the owner has heard. */
  get results(): readonly DirectResult[] {
    return this.known;
  }

  /** The event's claim ends with the message: acknowledged it is done, released it may come as another copy. */
  claimed(claim: Deduplication): void {
    this.claim = claim;
  }

  /** The broker took the message back and handed it over again: the same work settles this copy instead. */
  adopt(copy: SourceMessage): void {
    // The source lets go of what the lost one still holds, such as its room.
    this.held.settle('release');
    this.held = copy;
  }

  /** Deliveries that conditions on content leave out. */
  get filtered(): readonly Delivery[] {
    return this.leftOut;
  }

  /** No destination wanted the event. Of two copies the first one says so: the second is for ordered destinations alone. */
  get isUnwanted(): boolean {
    return !this.isOrderedCopy && !this.isSharedOut && this.routed.length + this.leftOut.length === 0;
  }

  /** A second copy that is for nobody: all that happens to its event happens to the first one. */
  get isNeedless(): boolean {
    return this.isOrderedCopy && this.routed.length + this.leftOut.length === 0;
  }

  /** Results of the deliveries are awaited from now on. */
  expect({ deliveries, filtered, isSharedOut = false }: Routed): void {
    this.routed = deliveries;
    this.leftOut = filtered;
    this.isSharedOut = isSharedOut;
    this.missing = deliveries.length;
  }

  resolve(index: number, result: DirectResult): void {
    this.known[index] = result;
    if (result === 'untouched') {
      this.letGo ??= [];
      this.letGo.push(index);
    }
    this.missing--;
    if (this.missing === 0) this.owner.completed(this);
  }

  /** Whether some deliveries were made and others not begun. */
  get isPartlyUntouched(): boolean {
    return this.known.includes('untouched') && this.known.some((result) => result !== 'untouched');
  }

  /** Awaits the results of the deliveries that were not begun once more, and hands each of them to `begin`. */
  resume(begin: (delivery: Delivery, index: number) => void): void {
    const { letGo = [] } = this;
    this.letGo = undefined;
    this.missing += letGo.length;
    for (const index of letGo) {
      const delivery = this.routed[index];
      if (delivery !== undefined) begin(delivery, index);
    }
  }

  deliveriesThatWere(result: DirectResult): readonly Delivery[] {
    return this.routed.filter((_, index) => this.known[index] === result);
  }

  settle(settlement: Settlement): void {
    if (settlement === 'ack') this.claim?.done(this.claimKey);
    else this.claim?.released(this.claimKey);
    this.held.settle(settlement);
  }
}
