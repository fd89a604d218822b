import { LRUCache } from 'lru-cache';
import type { Logger } from '../observability/logging';
import type { PacedLines } from '../observability/paced-lines';
import type { Delivery, DeliveryId, Outcome } from '../pipeline/delivery';
import type { DeadReason } from '../pipeline/parking';
import type { DeliveryLabels } from '../retry/job';

/** What a destination answered last when it did not take a delivery. */
interface Failure {
  readonly code: string;
  readonly status?: number | undefined;
  /** As it may be shown. */
  readonly address?: string | undefined;
}

const MOST_FAILURES = 1000;

/** Log lines of dead letters: which destination, why, and what it answered. */
export class DeadLetterLog {
  private readonly failures = new LRUCache<string, Failure>({ max: MOST_FAILURES });

  constructor(
    private readonly log: Logger,
    private readonly paced: PacedLines,
  ) {}

  attemptEnded({ destination }: Delivery, outcome: Outcome): void {
    if (outcome.kind !== 'failed' && outcome.kind !== 'rejected') return;
    const { code, status } = outcome;
    this.failures.set(destination.id, { code, status, address: destination.endpoint?.().shown });
  }

  deadLettered(id: DeliveryId, labels: DeliveryLabels, reason: DeadReason): void {
    const { destination } = labels;
    const log = reason === 'oversize' ? this.log.error : this.log.warn;
    const failure =
      reason === 'rejected' || reason === 'attempts-exhausted' ? this.failures.get(destination) : {};
    this.paced.add(
      `${destination} ${reason}`,
      () => log('dead letter', { id, ...labels, reason, ...failure }),
      (count) => log('dead letters, in one minute', { destination, reason, count, ...failure }),
    );
  }
}
