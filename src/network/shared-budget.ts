export interface BudgetOptions {
  /** Most that may be taken at once, by all together. */
  readonly inAll: number;
  /** And by one of them, so that none takes everything. */
  readonly perHolder: number;
}

/** What was taken, with what gives it back (calling it again does nothing); or whose limit forbids it. */
export type Taking =
  | { readonly kind: 'taken'; readonly release: () => void }
  | { readonly kind: 'refused'; readonly limit: 'holder' | 'all' };

/**
 * An amount (bytes, sessions, tests) that many share. Only holders of something are remembered, so that the number of
 * holders is bounded by `inAll`.
 */
export class SharedBudget {
  private total = 0;
  private readonly holdings = new Map<string, number>();

  constructor(private readonly options: BudgetOptions) {}

  get taken(): number {
    return this.total;
  }

  /** @param amount above 0 */
  take(holder: string, amount = 1): Taking {
    const own = this.holdings.get(holder) ?? 0;
    if (own + amount > this.options.perHolder) return { kind: 'refused', limit: 'holder' };
    if (this.total + amount > this.options.inAll) return { kind: 'refused', limit: 'all' };
    this.total += amount;
    this.holdings.set(holder, own + amount);
    let isHeld = true;
    return {
      kind: 'taken',
      release: () => {
        if (isHeld) this.giveBack(holder, amount);
        isHeld = false;
      },
    };
  }

  private giveBack(holder: string, amount: number): void {
    this.total -= amount;
    const left = (this.holdings.get(holder) ?? 0) - amount;
    if (left > 0) this.holdings.set(holder, left);
    else this.holdings.delete(holder);
  }
}
