import type { Rate } from '../../../src/pipeline/destination-limits';
import type { Charge, Lease, LeaseRequest, Leasing } from '../../../src/rates/permit-lease';
import { monotonicMs } from '../../../src/time/monotonic';

const SLOTS = 101;

/** One destination's permits as Redis keeps them (src/redis/rate-script.ts), for any number of workers. */
export class FakeLeases {
  readonly charged = new Map<number, number>();
  calls = 0;
  /** Every question fails. */
  isAway = false;
  /** No question is answered. */
  isSilent = false;
  /** Questions that one worker had under way together. */
  mostAtOnce = 0;
  private readonly workers = new Set<string>();
  private readonly slotMs: number;

  constructor(
    private readonly rate: Rate,
    private readonly answerMs = 1,
  ) {
    this.slotMs = (rate.seconds * 1000) / (SLOTS - 1);
  }

  for(worker: string): Leasing {
    let underWay = 0;
    return async (request) => {
      this.calls++;
      if (this.isAway) throw new Error('away');
      if (this.isSilent) return new Promise(() => {});
      this.mostAtOnce = Math.max(this.mostAtOnce, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, this.answerMs));
      underWay--;
      this.workers.add(worker);
      return this.lease(request);
    };
  }

  private lease({ wanted, waitedMs, unused, owed }: LeaseRequest): Lease {
    const now = Math.floor(monotonicMs() / this.slotMs);
    for (const { slot, count } of unused) this.charge(slot, -count);
    this.charge(now, owed);
    const charges: Charge[] = [];
    let missing = wanted;
    for (let slot = now - Math.floor(waitedMs / this.slotMs); slot <= now; slot++) {
      const count = Math.min(missing, this.roomFrom(slot, now));
      if (count <= 0) continue;
      this.charge(slot, count);
      missing -= count;
      charges.push({ slot, count });
    }
    const free = Math.max(0, this.rate.count - this.sumUntil(now));
    let next = now;
    while (this.sumUntil(next) >= this.rate.count) next++;
    const nextMs = next === now ? 0 : next * this.slotMs - monotonicMs();
    return { charges, free, nextMs, workers: this.workers.size };
  }

  private roomFrom(slot: number, now: number): number {
    let most = 0;
    for (let end = slot; end <= now; end++) most = Math.max(most, this.sumUntil(end));
    return this.rate.count - most;
  }

  private sumUntil(last: number): number {
    let sum = 0;
    for (let slot = last - SLOTS + 1; slot <= last; slot++) sum += this.charged.get(slot) ?? 0;
    return sum;
  }

  private charge(slot: number, count: number): void {
    this.charged.set(slot, (this.charged.get(slot) ?? 0) + count);
  }
}
