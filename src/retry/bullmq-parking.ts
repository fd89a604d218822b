import type { MalformedEventError } from '../errors';
import type { Origin } from '../events/envelope';
import type { AttemptRecord, Delivery, DeliveryId, ParkReason } from '../pipeline/delivery';
import type { DeadReason, Decide, Parking, ParkRequest, Ticket } from '../pipeline/parking';
import { supersedableOf } from '../pipeline/superseding';
import { type DeliveryLabels, jobDataOf, malformedJobData, NO_LABELS } from './job';
import { malformedId } from './malformed';
import type { Superseding } from './needless';
import { MALFORMED, type Shares } from './shares';
import type { StepResult, StoredDeliveries } from './stored-deliveries';

/** Learns what happened, after it did. */
export interface ParkingObserver {
  parked(delivery: Delivery, reason: ParkReason): void;
  /** A parked delivery was discarded, as this one is newer. */
  superseded(newer: Delivery): void;
  deadLettered(id: DeliveryId, labels: DeliveryLabels, reason: DeadReason): void;
}

export interface ParkingParts {
  readonly deliveries: StoredDeliveries;
  readonly shares: Shares;
  readonly decide: Decide;
  readonly observer: ParkingObserver;
  /** Left out where nothing makes anything needless. */
  readonly superseding?: Pick<Superseding, 'begins'>;
}

/** Stores deliveries as BullMQ jobs, counted in the same step. */
export class BullMqParking implements Parking {
  constructor(private readonly parts: ParkingParts) {}

  park(request: ParkRequest): Ticket {
    let withdrawn = false;
    const settled = this.store(request, () => withdrawn);
    return {
      settled,
      withdraw: () => {
        withdrawn = true;
        this.parts.deliveries.noteMade(request.delivery.id);
      },
    };
  }

  begins(delivery: Delivery): void {
    this.parts.superseding?.begins(delivery);
  }

  async delivered({ id }: Delivery): Promise<void> {
    await this.parts.deliveries.settle(id, 'delivered');
  }

  async failed(delivery: Delivery, record: AttemptRecord): Promise<void> {
    const decision = this.parts.decide(delivery, record);
    this.report(
      delivery,
      await this.parts.deliveries.failedLate({ id: delivery.id, decision, record, timesTaken: 0 }),
    );
  }

  /** Stores a body that can never be an event as a dead letter, once however often it comes. */
  async buryMalformed(body: Buffer, origin: Origin, error: MalformedEventError): Promise<void> {
    const id = malformedId(body);
    const result = await this.parts.deliveries.park({
      bytes: body.length,
      group: MALFORMED.parkedBy,
      prepare: async () => ({
        id,
        data: await malformedJobData(body, origin, error.code),
        decision: { kind: 'give-up', reason: 'malformed' },
        charge: MALFORMED,
      }),
    });
    if (result.kind === 'dead') this.parts.observer.deadLettered(id, NO_LABELS, result.reason);
  }

  private async store(request: ParkRequest, isWithdrawn: () => boolean): Promise<'stored' | 'withdrawn'> {
    const { delivery, decision, reason } = request;
    const { envelope, destination } = delivery;
    const result = await this.parts.deliveries.park({
      bytes: envelope.body.length,
      group: envelope.instance,
      isWithdrawn,
      prepare: async () => ({
        id: delivery.id,
        data: await jobDataOf(request),
        decision,
        charge: this.parts.shares.of(destination.id, envelope.instance),
        supersedable: supersedableOf(delivery),
        isSlow: reason === 'slow',
        lane: delivery.lane,
        laneGap: delivery.laneGap,
      }),
    });
    if (result.kind === 'withdrawn') {
      this.parts.deliveries.forget(delivery.id);
      return 'withdrawn';
    }
    if (result.kind === 'parked') {
      this.parts.observer.parked(delivery, reason);
      if (result.newer === true) this.parts.observer.superseded(delivery);
    } else this.report(delivery, result);
    return 'stored';
  }

  private report({ id, envelope, destination }: Delivery, result: StepResult): void {
    if (result.kind !== 'dead') return;
    const { event, instance } = envelope;
    this.parts.observer.deadLettered(id, { destination: destination.id, event, instance }, result.reason);
  }
}
