import type { Charge, LeaseRequest } from './permit-lease';

/** Permits that came together. */
interface Batch {
  readonly charges: Charge[];
  readonly until: number;
}

/** Permits that a worker has leased, for as long as they last, and what it still has to report of them to Redis. */
export class PermitStock {
  private readonly batches: Batch[] = [];
  private held = 0;
  private unused: Charge[] = [];
  private owed = 0;

  /** @param lifeMs after which they are given back where nobody used them */
  constructor(private readonly lifeMs: number) {}

  get count(): number {
    return this.held;
  }

  get hasUnused(): boolean {
    return this.unused.length > 0;
  }

  /** How many came. */
  add(charges: readonly Charge[], now: number): number {
    const count = charges.reduce((sum, charge) => sum + charge.count, 0);
    if (count > 0) this.batches.push({ charges: [...charges], until: now + this.lifeMs });
    this.held += count;
    return count;
  }

  /** Uses one, or owes it where there is none. */
  take(): void {
    if (this.held === 0) {
      this.owed++;
      return;
    }
    this.held--;
    const [batch] = this.batches;
    const [charge] = batch?.charges ?? [];
    if (batch === undefined || charge === undefined) return;
    if (--charge.count === 0) batch.charges.shift();
    if (batch.charges.length === 0) this.batches.shift();
  }

  /** What nobody used in time is to be given back. */
  expire(now: number): void {
    for (let [batch] = this.batches; batch !== undefined && batch.until <= now; [batch] = this.batches) {
      this.batches.shift();
      this.unused.push(...batch.charges);
      for (const { count } of batch.charges) this.held -= count;
    }
  }

  /** What the next question reports; it is reported once. */
  report(): Pick<LeaseRequest, 'unused' | 'owed'> {
    const { unused, owed } = this;
    this.unused = [];
    this.owed = 0;
    return { unused, owed };
  }

  /** The question failed: it may count twice, and what was given back may count as used: rather too few permits than too many. */
  oweAgain({ owed }: Pick<LeaseRequest, 'owed'>): void {
    this.owed += owed;
  }

  /** Permits that came too late to be used. */
  addUnused(charges: readonly Charge[]): void {
    this.unused.push(...charges);
  }
}
