/** Retries of one destination that wait for a permit, each of them in a place of all retries; more only while an answer takes long. */
const WAITING = { usually: 4, most: 32 };
const MOST_WAIT_MS = 1000;

interface Waiter {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (mayBegin: boolean) => void;
}

/** Retries that wait for a permit: they get every second one while fresh deliveries wait, too. */
export class RetryTurns {
  private readonly waiters: Waiter[] = [];
  private next: 'fresh' | 'retry' = 'retry';
  /** Permits that are kept for retries which may begin, and have not yet. */
  private promised = 0;
  private mostAtOnce = WAITING.usually;

  get waiting(): number {
    return this.waiters.length;
  }

  get kept(): number {
    return this.promised;
  }

  /** Permits come with one answer after the other: as many wait as come meanwhile, or a Redis that is far away makes them few. */
  answeredAfter(answerMs: number, paceMs: number): void {
    this.mostAtOnce = Math.min(WAITING.most, Math.max(WAITING.usually, Math.ceil(answerMs / paceMs)));
  }

  /** @param waitMs how long one would wait */
  mayWait(waitMs: number): boolean {
    return waitMs <= MOST_WAIT_MS && this.waiters.length < this.mostAtOnce;
  }

  /** How many may wait at once, those included that do: as many as get a permit in time, where there are any. */
  mostWaiting(waitMs: number, paceMs: number): number {
    if (this.tooEarlyMs(waitMs) > 0) return 0;
    return Math.min(this.mostAtOnce, Math.max(1, Math.floor(MOST_WAIT_MS / paceMs)));
  }

  /** Until one may wait. */
  tooEarlyMs(waitMs: number): number {
    return Math.max(0, waitMs - MOST_WAIT_MS);
  }

  wait(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        resolve(false);
      }, MOST_WAIT_MS);
      const waiter: Waiter = { timer, resolve };
      this.waiters.push(waiter);
    });
  }

  /** `count` permits came: retries that wait may begin, in turns with fresh deliveries where those wait, too. */
  serve(count: number, freshWait: boolean): void {
    for (let left = count; left > 0 && this.waiters.length > 0; left--) {
      const isTheirs = !freshWait || this.next === 'retry';
      this.next = isTheirs ? 'fresh' : 'retry';
      if (isTheirs) this.answerFirst(true);
    }
  }

  began(): void {
    if (this.promised > 0) this.promised--;
  }

  keepAtMost(held: number): void {
    this.promised = Math.min(this.promised, held);
  }

  /** None gets one. */
  close(): void {
    while (this.waiters.length > 0) this.answerFirst(false);
  }

  private answerFirst(mayBegin: boolean): void {
    const first = this.waiters.shift();
    if (first === undefined) return;
    clearTimeout(first.timer);
    if (mayBegin) this.promised++;
    first.resolve(mayBegin);
  }
}
