import * as fc from 'fast-check';
import type { Delivery, LaneId } from '../../../src/pipeline/delivery';
import type { DirectResult } from '../../../src/pipeline/direct-attempts';
import type { Lanes } from '../../../src/pipeline/lanes';
import {
  FakeLaneStore,
  type LaneAttempt,
  laneDelivery,
  lanesWith,
  MAX_WAIT_MS,
  numberOf,
} from '../../support/fakes/fake-lanes';
import { turns } from '../../support/signals/signals';

jest.setTimeout(120_000);

describe('the order in which deliveries of a lane arrive first', () => {
  /** What happens next: an attempt of one of the holders ends, the store delivers its first, the messages go to another one, time passes. */
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('end' as const), holder: fc.nat(2), isGood: fc.boolean() }),
      fc.record({ kind: fc.constant('retry' as const), isGood: fc.boolean() }),
      fc.record({ kind: fc.constant('take over' as const) }),
      fc.record({ kind: fc.constant('come' as const) }),
      fc.record({ kind: fc.constant('wait' as const) }),
    ),
    { maxLength: 60 },
  );

  test('is that of the source, whoever else goes on with messages that were once its own', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (chosen) => {
        const play = new Play();
        for (const step of chosen) await play.step(step);
        await play.finish();
        expect(play.firstArrivals).toEqual(play.sent);
      }),
      { numRuns: 30 },
    );
  });
});

type Step =
  | { readonly kind: 'end'; readonly holder: number; readonly isGood: boolean }
  | { readonly kind: 'retry'; readonly isGood: boolean }
  | { readonly kind: 'take over' }
  | { readonly kind: 'come' | 'wait' };

/** One lane, a broker that hands what is not acknowledged to the next holder, and holders that never stop. */
class Play {
  readonly store = new FakeLaneStore();
  readonly sent: number[] = [];
  private now = 0;
  private readonly arrived: number[] = [];
  private readonly unacknowledged: number[] = [];
  private readonly holders: { readonly lanes: Lanes; readonly attempts: LaneAttempt[] }[] = [];

  constructor() {
    this.takeOver();
  }

  get firstArrivals(): number[] {
    return [...new Set(this.arrived)];
  }

  async step(step: Step): Promise<void> {
    if (step.kind === 'come') this.come();
    else if (step.kind === 'wait') this.now += MAX_WAIT_MS + 1;
    else if (step.kind === 'take over') this.takeOver();
    else if (step.kind === 'retry') this.retry(step.isGood);
    else if (step.kind === 'end') this.end(this.holders.at(-1 - step.holder), step.isGood);
    await turns(2);
  }

  async finish(): Promise<void> {
    this.takeOver();
    for (let round = 0; round < 200 && this.unacknowledged.length + this.stored.length > 0; round++) {
      await turns(2);
      for (const holder of this.holders) this.end(holder, true);
      this.retry(true);
    }
  }

  private get stored(): Delivery[] {
    return this.store.of('a' as LaneId);
  }

  private come(): void {
    const number = this.sent.length;
    this.sent.push(number);
    this.unacknowledged.push(number);
    this.hand(number, this.holders.length - 1);
  }

  /** The holder so far does not know of it: a frozen process that comes back. */
  private takeOver(): void {
    const attempts: LaneAttempt[] = [];
    const lanes = lanesWith(this.store, attempts, () => {}, { now: () => this.now });
    this.holders.push({ lanes, attempts });
    for (const number of this.unacknowledged) this.hand(number, this.holders.length - 1);
  }

  private hand(number: number, index: number): void {
    const holder = this.holders[index];
    const resolve = (_index: number, result: DirectResult): void => {
      const isHolder = index === this.holders.length - 1;
      // The broker takes no word from one that has lost its channel.
      if (!isHolder || result === 'untouched' || result === 'unstored') return;
      this.unacknowledged.splice(this.unacknowledged.indexOf(number), 1);
    };
    holder?.lanes.submit(laneDelivery(number), { resolve, term: holder }, 0);
  }

  private end(holder: { readonly attempts: LaneAttempt[] } | undefined, isGood: boolean): void {
    const attempt = holder?.attempts.shift();
    if (attempt === undefined) return;
    if (isGood) this.arrived.push(numberOf(attempt.delivery));
    else if (!this.stored.some(({ id }) => id === attempt.delivery.id)) this.stored.push(attempt.delivery);
    attempt.end(isGood ? 'delivered' : 'stored');
  }

  private retry(isGood: boolean): void {
    const [first] = this.stored;
    if (first === undefined || !isGood) return;
    this.arrived.push(numberOf(first));
    this.stored.shift();
  }
}
