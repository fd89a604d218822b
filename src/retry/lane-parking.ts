import type { Delivery, DeliveryId, LaneId } from '../pipeline/delivery';
import type { LaneLook, LaneStore } from '../pipeline/parking';
import type { ParkingObserver } from './bullmq-parking';
import { jobDataOf } from './job';
import type { StoredCalls } from './retry-store';
import type { Shares } from './shares';
import type { NewDelivery, StepResult, StoredDeliveries } from './stored-deliveries';

export interface LaneParkingParts {
  readonly store: Pick<StoredCalls, 'call'>;
  readonly deliveries: StoredDeliveries;
  readonly shares: Shares;
  readonly observer: ParkingObserver;
  readonly onError: (error: unknown) => void;
}

/** Lanes asked about by one call. */
const LOOKED_AT = 500;
const DUE = { kind: 'retry', delayMs: 0 } as const;

/** Stores deliveries behind others of their lane; the first one of a lane is parked like any other (bullmq-parking.ts). */
export class LaneParking implements LaneStore {
  constructor(private readonly parts: LaneParkingParts) {}

  async look(lanes: readonly LaneId[]): Promise<readonly LaneLook[]> {
    const looks: LaneLook[] = [];
    for (let start = 0; start < lanes.length; start += LOOKED_AT) {
      const asked = lanes.slice(start, start + LOOKED_AT);
      const answers = (await this.parts.store.call('relayLanes', ...asked)) as (string | number)[];
      for (const index of asked.keys()) {
        const [count, gap] = answers.slice(2 * index, 2 * index + 2);
        looks.push({ isWaiting: Number(count) > 0, gap: gap === '' ? undefined : (gap as DeliveryId) });
      }
    }
    return looks;
  }

  async append(
    lane: LaneId,
    deliveries: readonly Delivery[],
    isForced: boolean,
  ): Promise<{ readonly stored: number; readonly gap: DeliveryId | undefined }> {
    const bytes = deliveries.reduce((sum, { envelope }) => sum + envelope.body.length, 0);
    const prepare = (): Promise<NewDelivery[]> => Promise.all(deliveries.map((each) => this.prepare(each)));
    const { stored, gap } = await this.parts.deliveries.append(lane, {
      bytes,
      group: deliveries[0]?.envelope.instance,
      isForced,
      prepare,
    });
    for (const [index, result] of stored.entries()) this.report(deliveries[index], result);
    return { stored: stored.length, gap };
  }

  gapTold(lane: LaneId, gap: DeliveryId): void {
    // At worst the next one says it as well.
    this.parts.store.call('relayGapTold', lane, gap).catch(this.parts.onError);
  }

  private async prepare(delivery: Delivery): Promise<NewDelivery> {
    const { id, envelope, destination } = delivery;
    const request = { delivery, reason: 'lane', attemptsMade: 0, history: [], decision: DUE } as const;
    const charge = this.parts.shares.of(destination.id, envelope.instance);
    return { id, data: await jobDataOf(request), decision: DUE, charge };
  }

  private report(delivery: Delivery | undefined, result: StepResult): void {
    if (delivery === undefined) return;
    if (result.kind === 'parked') this.parts.observer.parked(delivery, 'lane');
    if (result.kind !== 'dead') return;
    const { id, envelope, destination } = delivery;
    const { event, instance } = envelope;
    this.parts.observer.deadLettered(id, { destination: destination.id, event, instance }, result.reason);
  }
}
