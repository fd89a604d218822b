import { MalformedEventError } from '../errors';
import { type Envelope, type EventId, type Origin, parseEnvelope } from '../events/envelope';
import { OpenWork } from '../time/open-work';
import type { Deduplication } from './deduplication';
import type { Delivery } from './delivery';
import type { Deliverer, DirectResult } from './direct-attempts';
import type { Settlement, SourceMessage } from './message';
import { settle } from './settle';

/** What the relay tells about messages; implementations must not throw. */
export interface RelayObserver {
  accepted(source: string, envelope: Envelope): void;
  malformed(source: string, error: MalformedEventError): void;
  /** Another copy of the event was accepted before. */
  duplicate(source: string, envelope: Envelope): void;
  settled(message: SourceMessage, envelope: Envelope, results: readonly DirectResult[]): void;
}

export interface RelayParts {
  /** Later where the settings of the event's instance must be read first; rejects only when they were closed. */
  readonly route: (envelope: Envelope) => readonly Delivery[] | Promise<readonly Delivery[]>;
  readonly deliverer: Deliverer;
  /** Undefined: events are not compared. */
  readonly deduplication?: Deduplication;
  /** Counts deliveries confirmed while their message was held (retry/ledger.ts). */
  readonly countDelivered: (deliveries: readonly Delivery[]) => void;
  readonly countDiscarded: (deliveries: readonly Delivery[]) => void;
  /** Stores a body that can never be an event; rejects only when the store was closed. */
  readonly buryMalformed: (body: Buffer, origin: Origin, error: MalformedEventError) => Promise<void>;
  readonly observer: RelayObserver;
}

/** Takes messages through parse, route, deliver and settle. */
export class Relay {
  private readonly open = new OpenWork();

  constructor(private readonly parts: RelayParts) {}

  /** Messages that are held at this moment. */
  get openMessages(): number {
    return this.open.count;
  }

  handle(source: string, message: SourceMessage): void {
    this.open.begin();
    if (message.flaw !== undefined) return this.bury(source, message, message.flaw);
    let envelope: Envelope;
    try {
      envelope = parseEnvelope(message.body, message.origin);
    } catch (error) {
      this.bury(source, message, asMalformed(error));
      return;
    }
    this.parts.observer.accepted(source, envelope);
    const { deduplication } = this.parts;
    if (deduplication === undefined) this.route(message, envelope);
    else this.claim(source, message, envelope, deduplication);
  }

  private claim(
    source: string,
    message: SourceMessage,
    envelope: Envelope,
    deduplication: Deduplication,
  ): void {
    deduplication.claim(envelope.id).then(
      (answer) => {
        if (answer === 'fresh')
          return this.route(new ClaimedMessage(message, envelope.id, deduplication), envelope);
        this.parts.observer.duplicate(source, envelope);
        this.close(message, 'ack');
      },
      () => this.close(message, 'release'),
    );
  }

  private route(message: SourceMessage, envelope: Envelope): void {
    const deliveries = this.parts.route(envelope);
    if (!(deliveries instanceof Promise)) return this.deliver(message, envelope, deliveries);
    deliveries.then(
      (routed) => this.deliver(message, envelope, routed),
      () => this.close(message, 'release'),
    );
  }

  /** Resolves when no message is held any more. */
  idle(): Promise<void> {
    return this.open.idle();
  }

  private bury(source: string, message: SourceMessage, error: MalformedEventError): void {
    this.parts.observer.malformed(source, error);
    this.parts.buryMalformed(message.body, message.origin, error).then(
      () => this.close(message, 'ack'),
      () => this.close(message, 'release'),
    );
  }

  private deliver(message: SourceMessage, envelope: Envelope, deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return this.finish(message, envelope, deliveries, []);
    const results = new Array<DirectResult>(deliveries.length);
    let missing = deliveries.length;
    deliveries.forEach((delivery, index) => {
      this.parts.deliverer.submit(delivery, (result) => {
        results[index] = result;
        missing--;
        if (missing === 0) this.finishOrPark(message, envelope, deliveries, results);
      });
    });
  }

  /**
   * A message of which some deliveries were made and others not begun cannot go back to the broker: those made
   * would be made again. What was not begun is parked instead.
   */
  private finishOrPark(
    message: SourceMessage,
    envelope: Envelope,
    deliveries: readonly Delivery[],
    results: DirectResult[],
  ): void {
    if (!results.includes('untouched') || results.every((result) => result === 'untouched')) {
      return this.finish(message, envelope, deliveries, results);
    }
    const untouched = deliveries.filter((_, index) => results[index] === 'untouched');
    let missing = untouched.length;
    for (const delivery of untouched) {
      this.parts.deliverer.parkUntouched(delivery, 'shutdown', (result) => {
        results[deliveries.indexOf(delivery)] = result;
        missing--;
        if (missing === 0) this.finish(message, envelope, deliveries, results);
      });
    }
  }

  private finish(
    message: SourceMessage,
    envelope: Envelope,
    deliveries: readonly Delivery[],
    results: readonly DirectResult[],
  ): void {
    const settlement = settle(results);
    if (settlement === 'ack') {
      this.parts.countDelivered(deliveries.filter((_, index) => results[index] === 'delivered'));
      // Hardly any event is.
      if (results.includes('discarded'))
        this.parts.countDiscarded(deliveries.filter((_, index) => results[index] === 'discarded'));
    }
    this.close(message, settlement);
    this.parts.observer.settled(message, envelope, results);
  }

  private close(message: SourceMessage, settlement: Settlement): void {
    message.settle(settlement);
    this.open.end();
  }
}

/** Ends the claim with the message: what is acknowledged was accepted, what is released may come as another copy. */
class ClaimedMessage implements SourceMessage {
  constructor(
    private readonly message: SourceMessage,
    private readonly id: EventId,
    private readonly deduplication: Deduplication,
  ) {}

  get body(): Buffer {
    return this.message.body;
  }

  get origin(): Origin {
    return this.message.origin;
  }

  get publishedAt(): number | undefined {
    return this.message.publishedAt;
  }

  settle(settlement: Settlement): void {
    if (settlement === 'ack') this.deduplication.accepted(this.id);
    else this.deduplication.released(this.id);
    this.message.settle(settlement);
  }
}

/** A fault of our own in parsing must not stop the source or send the message round in circles: it is kept. */
function asMalformed(error: unknown): MalformedEventError {
  if (error instanceof MalformedEventError) return error;
  return new MalformedEventError('PARSE_FAILED', 'the relay failed to parse the body', { cause: error });
}
