import type { LogNotes } from '../delivery-log/log-notes';
import type { Envelope } from '../events/envelope';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import type { AttemptRecord, Delivery, DeliveryId, ParkReason } from '../pipeline/delivery';
import type { DirectResult } from '../pipeline/direct-attempts';
import type { SourceMessage } from '../pipeline/message';
import type { DeadReason } from '../pipeline/parking';
import type { DeliveryLabels } from '../retry/job';
import { Observer } from './observer';

export interface LoggingObserverParts {
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly heard: (envelope: Envelope) => void;
  readonly notes: LogNotes;
}

/** An observer that also makes records of what happens to deliveries (docs/delivery-log.md). */
export class LoggingObserver extends Observer {
  private readonly notes: LogNotes;

  constructor({ metrics, log, heard, notes }: LoggingObserverParts) {
    super(metrics, log, heard);
    this.notes = notes;
  }

  override attemptEnded(delivery: Delivery, record: AttemptRecord): void {
    super.attemptEnded(delivery, record);
    this.notes.attemptEnded(delivery, record);
  }

  override parked(delivery: Delivery, reason: ParkReason): void {
    super.parked(delivery, reason);
    this.notes.parked(delivery, reason);
  }

  override deadLettered(id: DeliveryId, labels: DeliveryLabels, reason: DeadReason): void {
    super.deadLettered(id, labels, reason);
    this.notes.deadLettered({ id, ...labels }, reason);
  }

  override filtered(delivery: Delivery): void {
    super.filtered(delivery);
    this.notes.filtered(delivery);
  }

  override settled(
    message: SourceMessage,
    envelope: Envelope,
    results: readonly DirectResult[],
    filtered: number,
  ): void {
    super.settled(message, envelope, results, filtered);
    if (results.length + filtered === 0) this.notes.unwanted(envelope);
  }
}
