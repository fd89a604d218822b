import { MalformedEventError } from '../errors';
import { type Envelope, type Origin, parseEnvelope, withId } from '../events/envelope';
import { OpenWork } from '../time/open-work';
import type { Deduplication } from './deduplication';
import type { Delivery } from './delivery';
import type { DirectAttempts, DirectResult } from './direct-attempts';
import type { Epochs } from './epochs';
import { EventsInFlight } from './events-in-flight';
import { InFlight, type InFlightOwner } from './in-flight';
import { InTurn } from './in-turn';
import { type KeptRouting, KeptRoutings, routedAsBefore } from './kept-routings';
import type { Settlement, SourceMessage } from './message';
import type { Routed } from './route';
import { settle } from './settle';
import type { Tracing } from './tracing';

/** What happens to messages; implementations must not throw. */
export interface RelayObserver {
  received(source: string, envelope: Envelope): void;
  malformed(source: string, error: MalformedEventError): void;
  /** Another copy of the event is done, or is in flight. */
  duplicate(source: string, envelope: Envelope): void;
  /** With how many more deliveries conditions left out. */
  settled(
    message: SourceMessage,
    envelope: Envelope,
    results: readonly DirectResult[],
    filtered: number,
  ): void;
  /** Conditions on content left this delivery out, and that counts. */
  filtered(delivery: Delivery): void;
  /** No destination wanted the event. */
  unwanted(envelope: Envelope): void;
}

export interface RelayParts {
  /** Later where the settings of the event's instance must be read first; rejects only when they were closed. */
  readonly route: (envelope: Envelope, inFlight: InFlight) => Routed | Promise<Routed>;
  /** Where it matters what was known when a message came. */
  readonly epochs?: Epochs;
  /** Makes them, those of ordered destinations in their order (lanes.ts). */
  readonly directAttempts: Pick<DirectAttempts, 'submit' | 'parkWithoutAttempt'>;
  /** Undefined: events are not compared. */
  readonly deduplication?: Deduplication;
  /** Counts deliveries confirmed while their message was held (ledger/ledger.ts). */
  readonly countDelivered: (deliveries: readonly Delivery[]) => void;
  readonly countDiscarded: (deliveries: readonly Delivery[]) => void;
  /** Stores a body that can never be an event; rejects only when the store was closed. */
  readonly buryMalformed: (body: Buffer, origin: Origin, error: MalformedEventError) => Promise<void>;
  readonly observer: RelayObserver;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** What an event became; `seen` where another copy of it is done. */
type Ready = Routed | 'seen';

/** Takes messages through parse, route, deliver and settle. */
export class Relay implements InFlightOwner {
  private readonly open = new OpenWork();
  private readonly inFlight = new EventsInFlight();
  /** Second copies, which are another matter than the first ones. */
  private readonly orderedInFlight = new EventsInFlight();
  /** Second copies of the events of each instance: no lane has events of two. */
  private readonly inTurn = new InTurn();
  private readonly kept = new KeptRoutings();

  constructor(private readonly parts: RelayParts) {}

  /** Messages that are held at this moment. */
  get openMessages(): number {
    return this.open.count;
  }

  handle(source: string, message: SourceMessage): void {
    if (message.flaw !== undefined) return this.bury(source, message, message.flaw);
    let envelope: Envelope;
    try {
      const { body, origin, publishedAt = Date.now(), messageId } = message;
      envelope = parseEnvelope(body, origin, publishedAt, messageId);
    } catch (error) {
      return this.bury(source, message, asMalformed(error));
    }
    if (!message.redelivered) return this.begin(source, message, envelope);
    const toDo = this.recognise(message, envelope);
    if (toDo === undefined) this.parts.observer.duplicate(source, envelope);
    else this.begin(source, message, toDo);
  }

  /** Resolves when no message is held any more. */
  idle(): Promise<void> {
    return this.open.idle();
  }

  completed(inFlight: InFlight): void {
    const { directAttempts, countDelivered, countDiscarded, observer } = this.parts;
    const { results } = inFlight;
    if (inFlight.isPartlyUntouched) {
      // It cannot go back to the broker, as the deliveries that were made would be made again.
      if (!inFlight.isLost)
        return inFlight.resume((delivery, index) =>
          directAttempts.parkWithoutAttempt(delivery, 'shutdown', inFlight, index),
        );
      // It goes back whatever we do. Those that were made are not made again if it comes here.
      this.kept.keep(inFlight);
    }
    const settlement = settle(results);
    if (settlement === 'ack') {
      countDelivered(inFlight.deliveriesThatWere('delivered'));
      // Hardly any event is.
      if (results.includes('discarded')) countDiscarded(inFlight.deliveriesThatWere('discarded'));
      if (inFlight.filtered.length > 0) this.countFiltered(inFlight.filtered);
      if (inFlight.isUnwanted) observer.unwanted(inFlight.envelope);
    }
    this.close(inFlight, settlement);
    observer.settled(inFlight.message, inFlight.envelope, results, inFlight.filtered.length);
  }

  private begin(source: string, message: SourceMessage, envelope: Envelope): void {
    if (message.copy !== 'ordered') this.parts.observer.received(source, envelope);
    this.open.begin();
    const trace = this.parts.tracing?.received(source, envelope);
    const traced = trace === undefined ? envelope : { ...envelope, traceparent: trace.traceparent };
    const inFlight = new InFlight(message, traced, this);
    inFlight.trace = trace;
    inFlight.epoch = this.parts.epochs?.begin();
    const isInTurn = inFlight.isOrderedCopy && !this.waitsForCopy(inFlight);
    this.eventsOf(message).add(inFlight);
    const ready = this.ready(inFlight);
    const goOn = (routed: Ready): void => this.goOn(source, inFlight, routed);
    const goBack = (): void => this.close(inFlight, 'release');
    if (isInTurn) this.inTurn.add(envelope.instance, ready, goOn, goBack);
    else if (ready instanceof Promise) ready.then(goOn, goBack);
    else this.deliver(inFlight, ready);
  }

  /**
   * A message that the broker hands over again although this process works on it, or is done with it: a channel was
   * lost, or the broker waited too long. The work goes on and settles this copy; nothing is delivered anew, and nothing is
   * left to do. One that went back before keeps the id that it had.
   */
  private recognise(message: SourceMessage, envelope: Envelope): Envelope | undefined {
    const { id, contentKey } = envelope;
    const events = this.eventsOf(message);
    const lost = events.lost(contentKey);
    if (lost !== undefined) {
      lost.adopt(message);
      lost.resume((delivery, index) => this.parts.directAttempts.submit(delivery, lost, index));
      return undefined;
    }
    const returning =
      id === contentKey ? { id, isDone: events.wasAcknowledged(id) } : events.takeReturning(contentKey);
    if (returning?.isDone !== true) return withId(envelope, returning?.id ?? id);
    message.settle('ack');
    return undefined;
  }

  /**
   * Whether another copy of it that came before is under way here. Where that one is not done in the end, all goes back, so that this
   * one need not keep what follows from going on.
   */
  private waitsForCopy({ envelope: { id, contentKey }, message }: InFlight): boolean {
    const isCompared = this.parts.deduplication !== undefined && id === contentKey;
    return isCompared && this.eventsOf(message).has(contentKey);
  }

  private ready(inFlight: InFlight): Routed | Promise<Ready> {
    const { deduplication } = this.parts;
    const { id, contentKey } = inFlight.envelope;
    // Copies of an event whose id was made up cannot be told from other emissions of the same bytes.
    if (deduplication === undefined || id !== contentKey)
      return this.parts.route(inFlight.envelope, inFlight);
    return deduplication.claim(inFlight.claimKey).then((answer) => {
      if (answer !== 'fresh') return 'seen';
      inFlight.claimed(deduplication);
      return this.parts.route(inFlight.envelope, inFlight);
    });
  }

  private goOn(source: string, inFlight: InFlight, ready: Ready): void {
    if (ready !== 'seen') return this.deliver(inFlight, ready);
    this.parts.observer.duplicate(source, inFlight.envelope);
    this.close(inFlight, 'ack');
  }

  private eventsOf({ copy }: SourceMessage): EventsInFlight {
    return copy === 'ordered' ? this.orderedInFlight : this.inFlight;
  }

  private deliver(inFlight: InFlight, routed: Routed): void {
    // Its settings were read meanwhile; it comes again.
    if (inFlight.isLost) return this.close(inFlight, 'release');
    const kept = this.kept.take(inFlight);
    if (kept !== undefined) return this.deliverRest(inFlight, kept, routed);
    const { deliveries } = routed;
    inFlight.expect(routed);
    if (deliveries.length === 0) return this.completed(inFlight);
    for (const [index, delivery] of deliveries.entries())
      this.parts.directAttempts.submit(delivery, inFlight, index);
  }

  /** Some of its deliveries were made before it went back. */
  private deliverRest(inFlight: InFlight, kept: KeptRouting, fresh: Routed): void {
    const { directAttempts } = this.parts;
    const routed = routedAsBefore(kept, inFlight.envelope, fresh);
    inFlight.expect(routed);
    for (const [index, delivery] of routed.deliveries.entries()) {
      const made = kept.results[index];
      if (made !== undefined) inFlight.resolve(index, made);
      else if (fresh.deliveries.includes(delivery)) directAttempts.submit(delivery, inFlight, index);
      // What became of its destination is known when it is due: it is removed, or its settings are unreadable.
      else directAttempts.parkWithoutAttempt(delivery, 'unreadable', inFlight, index);
    }
  }

  private countFiltered(filtered: readonly Delivery[]): void {
    this.parts.countDiscarded(filtered);
    for (const delivery of filtered) this.parts.observer.filtered(delivery);
  }

  private bury(source: string, message: SourceMessage, error: MalformedEventError): void {
    // Its other copy is kept.
    if (message.copy === 'ordered') return message.settle('ack');
    this.open.begin();
    this.parts.observer.malformed(source, error);
    const close = (settlement: Settlement): void => {
      message.settle(settlement);
      this.open.end();
    };
    this.parts.buryMalformed(message.body, message.origin, error).then(
      () => close('ack'),
      () => close('release'),
    );
  }

  private close(inFlight: InFlight, settlement: Settlement): void {
    const events = this.eventsOf(inFlight.message);
    events.remove(inFlight);
    events.settled(inFlight, settlement);
    inFlight.settle(settlement);
    // A trace that does not end is shown to nobody.
    if (!inFlight.isNeedless) inFlight.trace?.settled(settlement);
    if (inFlight.epoch !== undefined) this.parts.epochs?.end(inFlight.epoch);
    this.open.end();
  }
}

/** A fault of our own in parsing must not stop the source or send the message round in circles: it is kept. */
function asMalformed(error: unknown): MalformedEventError {
  if (error instanceof MalformedEventError) return error;
  return new MalformedEventError('PARSE_FAILED', 'the relay failed to parse the body', { cause: error });
}
