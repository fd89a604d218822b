import type { MalformedEventError } from '../errors';
import { errorText } from '../errors';
import { eventLabel } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import { Bursts } from '../observability/bursts';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import { PacedLines } from '../observability/paced-lines';
import { describeError } from '../observability/report';
import type { AttemptObserver } from '../pipeline/attempts';
import type { AttemptRecord, Delivery, DeliveryId, DestinationId, ParkReason } from '../pipeline/delivery';
import type { DirectResult } from '../pipeline/direct-attempts';
import type { SourceMessage } from '../pipeline/message';
import type { DeadReason } from '../pipeline/parking';
import type { RelayObserver } from '../pipeline/relay';
import type { ParkingObserver } from '../retry/bullmq-parking';
import type { DeliveryLabels } from '../retry/job';
import type { RetryObserver } from '../retry/retry-handler';
import type { Expired } from '../retry/retry-upkeep';
import { CoreClashes } from './core-clashes';
import { DeadLetterLog } from './dead-letter-log';

/** Turns what happens into metrics, and into log lines: one per attempt and per event at debug. */
export class Observer implements RelayObserver, AttemptObserver, ParkingObserver, RetryObserver {
  private readonly clashes: CoreClashes;
  private readonly paced = new PacedLines((count) =>
    this.log.warn('lines of further destinations, in one minute', { count }),
  );
  private readonly deadLetters: DeadLetterLog;
  /** A destination that is removed leaves a whole backlog: one line for all of it. */
  private readonly removed = new Bursts((destination, count) =>
    this.log.warn('dead letters: their destination was removed or switched off', { destination, count }),
  );

  private receivedCount = 0;

  constructor(
    private readonly metrics: Metrics,
    private readonly log: Logger,
    private readonly heard: (envelope: Envelope) => void,
  ) {
    this.clashes = new CoreClashes(log);
    this.deadLetters = new DeadLetterLog(log, this.paced);
  }

  /** How many events sources handed over since the last call. */
  takeReceived(): number {
    const count = this.receivedCount;
    this.receivedCount = 0;
    return count;
  }

  received(source: string, envelope: Envelope): void {
    this.receivedCount++;
    this.metrics.eventsReceived.add(source, eventLabel(envelope.event));
    this.clashes.look(envelope);
    this.heard(envelope);
  }

  duplicate(source: string, { id, event, instance }: Envelope): void {
    this.metrics.duplicates.add(source, eventLabel(event));
    if (this.log.isDebug) this.log.debug('duplicate', { id, event, instance, source });
  }

  malformed(source: string, error: MalformedEventError): void {
    this.receivedCount++;
    this.metrics.eventsReceived.add(source, 'malformed');
    const { code } = error;
    this.paced.add(
      `malformed ${source} ${code}`,
      () =>
        this.log.warn('malformed message becomes a dead letter', { source, code, error: errorText(error) }),
      (count) =>
        this.log.warn('malformed messages become dead letters, in one minute', { source, code, count }),
    );
  }

  settled(
    message: SourceMessage,
    envelope: Envelope,
    results: readonly DirectResult[],
    filtered: number,
  ): void {
    if (!this.log.isDebug) return;
    const { id, event, instance } = envelope;
    this.log.debug('event', { id, event, instance, bytes: message.body.length, results, filtered });
  }

  /** The delivery log alone has something to say of it. */
  unwanted(_envelope: Envelope): void {}

  superseded({ destination: { kind }, envelope }: Delivery): void {
    this.metrics.discarded.add(kind, 'superseded');
    this.metrics.deliveries.add(kind, eventLabel(envelope.event), 'discarded');
  }

  filtered({ destination: { kind }, envelope }: Delivery): void {
    this.metrics.discarded.add(kind, 'filtered');
    this.metrics.deliveries.add(kind, eventLabel(envelope.event), 'discarded');
  }

  attemptEnded(delivery: Delivery, record: AttemptRecord): void {
    const { kind } = delivery.destination;
    const { outcome, durationMs } = record;
    this.metrics.attempts.add(kind, outcome.kind);
    this.metrics.attemptDuration.add(kind, durationMs / 1000);
    if (outcome.kind === 'discarded') {
      this.metrics.discarded.add(kind, outcome.reason);
      this.metrics.deliveries.add(kind, eventLabel(delivery.envelope.event), 'discarded');
    }
    if (outcome.kind === 'delivered') {
      this.metrics.deliveries.add(kind, eventLabel(delivery.envelope.event), 'delivered');
      // An event's own `date_time` is of no use: it is local time of an unknown zone.
      const { since } = delivery.envelope;
      if (since !== undefined) this.metrics.eventLag.add(kind, Math.max(0, Date.now() - since) / 1000);
    }
    if (outcome.kind !== 'delivered') this.deadLetters.attemptEnded(delivery, outcome);
    if (this.log.isDebug) this.log.debug('attempt', attemptFields(delivery, record));
  }

  parked({ destination }: Delivery, reason: ParkReason): void {
    this.metrics.parked.add(destination.kind, reason);
  }

  deadLettered(id: DeliveryId, labels: DeliveryLabels, reason: DeadReason): void {
    this.metrics.deadLetters.add(reason);
    // The source said what is wrong with a malformed one.
    if (reason === 'malformed') return;
    this.countDead(labels.destination, labels.event);
    if (reason === 'destination-removed') return this.removed.add(labels.destination);
    this.deadLetters.deadLettered(id, labels, reason);
  }

  /** One line for all of them: an endpoint that is dead for good leaves a whole backlog. */
  expired(expired: readonly Expired[]): void {
    for (const { destination, event } of expired) {
      this.metrics.deadLetters.add('expired');
      this.countDead(destination, event);
    }
    const destinations = [...new Set(expired.map(({ destination }) => destination))].slice(0, 10);
    this.log.warn('dead letters: parked for too long', { count: expired.length, destinations });
  }

  recovered(count: number): void {
    this.log.warn('retries of a worker that is gone were put back', { count });
  }

  addressesDiffer(destination: string): void {
    this.log.warn(
      'other workers have another address for this destination: each worker retries only what was parked for its own address',
      {
        destination,
      },
    );
  }

  broughtForward(count: number): void {
    this.log.warn('retries that a wrong clock had put off were brought forward', { count });
  }

  recordMissing(id: string): void {
    const text = 'a parked delivery is lost: somebody removed its record';
    this.paced.add(
      'record missing',
      () => this.log.error(text, { id }),
      (count) => this.log.error(text, { count }),
    );
  }

  settingsUnreadable(instance: string, error: unknown): void {
    this.log.warn('retries wait: the settings of their instance cannot be read', {
      instance,
      ...describeError(error),
    });
  }

  private countDead(destination: string, event: string): void {
    const [kind = 'none'] = destination.split(':');
    this.metrics.deliveries.add(kind, eventLabel(event), 'dead');
  }

  circuit(id: DestinationId, isOpen: boolean): void {
    if (this.log.isDebug) this.log.debug(isOpen ? 'circuit opened' : 'circuit closed', { destination: id });
  }
}

function attemptFields(
  delivery: Delivery,
  { attempt, durationMs, outcome }: AttemptRecord,
): Record<string, unknown> {
  return {
    id: delivery.id,
    destination: delivery.destination.id,
    event: delivery.envelope.event,
    instance: delivery.envelope.instance,
    attempt,
    ms: durationMs,
    outcome: outcome.kind,
    ...('code' in outcome ? { code: outcome.code } : {}),
    ...('status' in outcome ? { status: outcome.status } : {}),
  };
}
