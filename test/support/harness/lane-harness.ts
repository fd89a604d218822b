import type { Delivery, LaneId } from '../../../src/pipeline/delivery';
import { eventually } from '../signals/signals';
import { FakeDestination } from './pipeline-harness';
import { deliveries, StoreHarness, type StoreHarnessOptions } from './store-harness';

export const LANE = 'lane-of-a-chat' as LaneId;
export const DUE = { decision: { kind: 'retry', delayMs: 0 } } as const;

/** Deliveries of lanes at one destination, and the store that they lie in. */
export class LaneHarness {
  readonly destination = new FakeDestination('webhook:global');

  private constructor(readonly store: StoreHarness) {}

  static async open(options: StoreHarnessOptions = {}): Promise<LaneHarness> {
    return new LaneHarness(await StoreHarness.open(options));
  }

  inLane(count: number, lane = LANE, first = 0): Delivery[] {
    return deliveries(this.destination, count, first).map((each) => ({ ...each, lane }));
  }

  /** The first is parked as after a failed attempt, the others behind it. */
  async parkLane(all: readonly Delivery[], lane = LANE): Promise<void> {
    const [first, ...others] = all;
    if (first === undefined) return;
    await this.store.park(first, DUE);
    expect(await this.store.laneParking.append(lane, others, false)).toEqual({
      stored: others.length,
      gap: undefined,
    });
  }

  /** Ids of what was attempted, in their order. */
  get attempted(): string[] {
    return idsOf(this.destination.attempts.map(({ delivery }) => delivery));
  }

  /** Resolves once nothing is left of any lane. */
  leftBehind(): Promise<true> {
    return eventually(async () => {
      const names = await this.store.keyNames();
      return names.some((name) => /dlv_|lane/.test(name)) ? undefined : true;
    }, 'no key of a lane');
  }

  close(): Promise<void> {
    return this.store.close();
  }
}

export function idsOf(all: readonly Delivery[]): string[] {
  return all.map(({ id }) => id);
}
