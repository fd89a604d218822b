// Kept from before a test can put fake timers in their place.
const { setTimeout, clearTimeout } = globalThis;

/** A promise and what settles it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Something that happened, again and again: `count(n)` resolves with all of it once it happened n times. */
export class Happenings<T> {
  readonly all: T[] = [];
  private waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(item: T): void {
    this.all.push(item);
    for (const { resolve } of this.waiting.filter(({ count }) => this.all.length >= count)) resolve();
    this.waiting = this.waiting.filter(({ count }) => this.all.length < count);
  }

  async count(count: number, withinMs = 20_000): Promise<readonly T[]> {
    if (this.all.length < count) {
      const { promise, resolve } = deferred();
      this.waiting.push({ count, resolve });
      await within(promise, withinMs, () => `${this.all.length} of ${count} happened`);
    }
    return this.all;
  }
}

/** Asks again and again until `check` gives something that is not undefined: for what tells nobody of itself. */
export async function eventually<T>(
  check: () => Promise<T | undefined> | T | undefined,
  what: string,
  withinMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The promise, or an error once it takes too long: a test then says what is missing instead of timing out. */
export async function within<T>(promise: Promise<T>, ms: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what()}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after everything that is ready to run has run. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
