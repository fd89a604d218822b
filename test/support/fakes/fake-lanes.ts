import type { Delivery, DeliveryId, LaneId } from '../../../src/pipeline/delivery';
import type { DirectResult, ResultSink } from '../../../src/pipeline/direct-attempts';
import { Lanes } from '../../../src/pipeline/lanes';
import type { LaneLook, LaneStore } from '../../../src/pipeline/parking';
import { FakeDestination } from '../harness/pipeline-harness';
import { turns } from '../signals/signals';
import { deliveryTo, eventBody } from '../values/events';

/** What lies in Redis of each lane, in its order. */
export class FakeLaneStore implements LaneStore {
  readonly lanes = new Map<LaneId, Delivery[]>();
  readonly gaps = new Map<LaneId, DeliveryId>();
  readonly told: DeliveryId[] = [];
  asked = 0;
  isAway = false;
  isClosed = false;

  of(lane: LaneId): Delivery[] {
    const found = this.lanes.get(lane) ?? [];
    this.lanes.set(lane, found);
    return found;
  }

  async look(lanes: readonly LaneId[]): Promise<readonly LaneLook[]> {
    await turns(1);
    if (this.isAway) throw new Error('away');
    this.asked += lanes.length;
    return lanes.map((lane) => ({ isWaiting: this.of(lane).length > 0, gap: this.gaps.get(lane) }));
  }

  async append(lane: LaneId, deliveries: readonly Delivery[], isForced: boolean) {
    await turns(1);
    if (this.isClosed) throw new Error('closed');
    const waiting = this.of(lane);
    if (waiting.length === 0 && !isForced) return { stored: 0, gap: this.gaps.get(lane) };
    for (const each of deliveries) if (!waiting.some(({ id }) => id === each.id)) waiting.push(each);
    return { stored: deliveries.length, gap: undefined };
  }

  gapTold(_lane: LaneId, gap: DeliveryId): void {
    this.told.push(gap);
  }
}

/** A direct attempt of a delivery of a lane, which the test ends. */
export interface LaneAttempt {
  readonly delivery: Delivery;
  readonly isLost: () => boolean;
  readonly end: (result: DirectResult) => void;
}

/** What waits for longer is stored, where this many messages are held. */
export const MAX_WAIT_MS = 1000;
export const MANY = 2;

/** Lanes of one process; the attempts that they begin are added to a list. */
export function lanesWith(
  store: LaneStore,
  attempts: LaneAttempt[],
  onError: (error: unknown) => void = () => {},
  clock: { now(): number } = { now: () => 0 },
): Lanes {
  const submit = (delivery: Delivery, sink: ResultSink, index: number): void => {
    const isLost = (): boolean => sink.isLost === true;
    attempts.push({ delivery, isLost, end: (result) => sink.resolve(index, result) });
  };
  const directAttempts = { submit, parkWithoutAttempt: () => {}, mostWaitMs: () => MAX_WAIT_MS };
  return new Lanes({ directAttempts, store, clock, mostHeld: 8 * MANY - 1, onError });
}

const destination = new FakeDestination('webhook:global');
const numbers = new Map<DeliveryId, number>();

/** The delivery of a lane with this number. */
export function laneDelivery(number: number, lane = 'a'): Delivery {
  const made = { ...deliveryTo(destination, eventBody(number)), lane: lane as LaneId };
  numbers.set(made.id, number);
  return made;
}

export function numberOf({ id }: Delivery): number {
  return numbers.get(id) ?? -1;
}
