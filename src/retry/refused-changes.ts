export interface RefusedChangesParts<T> {
  /** Those that are to be sent together, and the rest that waits. */
  readonly take: (waiting: readonly T[]) => { readonly batch: readonly T[]; readonly left: T[] };
  /** Sends them once; those that are not stored come back by `add` or `putBack`. Never rejects. */
  readonly send: (batch: readonly T[]) => Promise<'some stored' | 'none stored'>;
}

const FIRST_MS = 100;
const LAST_MS = 2000;

/**
 * What Redis refused, apart from all else, so that nothing stands behind it: one call after the other asks for some of them again,
 * those first that have waited longest. Between two calls there is a pause, which grows up to two seconds while none of them is
 * stored. How many wait is bounded by what sources may hold.
 */
export class RefusedChanges<T> {
  private waiting: T[] = [];
  private delayMs = FIRST_MS;
  private timer: NodeJS.Timeout | undefined;
  private isSending = false;

  constructor(private readonly parts: RefusedChangesParts<T>) {}

  /** Behind those that wait. */
  add(refused: readonly T[]): void {
    for (const each of refused) this.waiting.push(each);
    this.schedule();
  }

  /** Before those that wait: nobody knows what Redis says to them by now. */
  putBack(batch: readonly T[]): void {
    this.waiting = [...batch, ...this.waiting];
    this.schedule();
  }

  takeAll(): readonly T[] {
    clearTimeout(this.timer);
    this.timer = undefined;
    return this.waiting.splice(0);
  }

  private schedule(): void {
    if (this.isSending) return;
    if (this.waiting.length === 0) this.delayMs = FIRST_MS;
    else this.timer ??= setTimeout(() => void this.sendSome(), this.delayMs);
  }

  private async sendSome(): Promise<void> {
    this.timer = undefined;
    this.isSending = true;
    let isAnyStored = false;
    // Where some are stored what kept them from it is over, perhaps for all.
    while (await this.sendNext()) isAnyStored = true;
    this.delayMs = isAnyStored ? FIRST_MS : Math.min(this.delayMs * 2, LAST_MS);
    this.isSending = false;
    this.schedule();
  }

  private async sendNext(): Promise<boolean> {
    const { batch, left } = this.parts.take(this.waiting);
    this.waiting = left;
    return batch.length > 0 && (await this.parts.send(batch)) === 'some stored';
  }
}
