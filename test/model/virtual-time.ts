import { AsyncLocalStorage } from 'node:async_hooks';

/** What a timer belongs to: a process may be frozen, so that its timers wait, or dead, so that they never fire. */
export interface Owner {
  readonly state: 'running' | 'frozen' | 'dead';
  /** How far its wall clock is off, milliseconds. */
  readonly skewMs: number;
}

interface Timer {
  readonly id: number;
  at: number;
  readonly everyMs: number | undefined;
  readonly owner: Owner | undefined;
  readonly fire: () => void;
}

/** 2026-01-01: nothing depends on it. */
const EPOCH_MS = 1_767_225_600_000;
const realImmediate = setImmediate;

/** What is replaced while virtual time is in force. */
const PATCHED = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
] as const;

/**
 * Timers and clocks that move only when the model says so. Each timer belongs to the process that set it, found by the
 * asynchronous context, so that one process can freeze or die while the others go on.
 */
export class VirtualTime {
  private readonly context = new AsyncLocalStorage<Owner>();
  private readonly timers = new Map<number, Timer>();
  private readonly originals = new Map<string, unknown>();
  private readonly dateNow = Date.now;
  private nextId = 1;
  private elapsedMs = 0;

  get now(): number {
    return this.elapsedMs;
  }

  /** Runs `work` as a part of this process. */
  as<T>(owner: Owner, work: () => T): T {
    return this.context.run(owner, work);
  }

  install(): void {
    const set = (fire: (...args: unknown[]) => void, ms: number | undefined, isInterval: boolean, args: unknown[]) => {
      const delayMs = Math.max(0, ms ?? 0);
      const timer: Timer = {
        id: this.nextId++,
        at: this.elapsedMs + delayMs,
        everyMs: isInterval ? Math.max(1, delayMs) : undefined,
        owner: this.context.getStore(),
        fire: () => fire(...args),
      };
      this.timers.set(timer.id, timer);
      return handleOf(timer.id);
    };
    const clear = (handle: unknown): void => {
      if (handle !== undefined && handle !== null) this.timers.delete(Number(handle));
    };
    const replacements: Record<(typeof PATCHED)[number], unknown> = {
      setTimeout: (fire: () => void, ms?: number, ...args: unknown[]) => set(fire, ms, false, args),
      setInterval: (fire: () => void, ms?: number, ...args: unknown[]) => set(fire, ms, true, args),
      setImmediate: (fire: () => void, ...args: unknown[]) => set(fire, 0, false, args),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    };
    const globals = globalThis as unknown as Record<string, unknown>;
    for (const name of PATCHED) {
      this.originals.set(name, globals[name]);
      globals[name] = replacements[name];
    }
    Date.now = () => EPOCH_MS + Math.floor(this.elapsedMs) + (this.context.getStore()?.skewMs ?? 0);
    jest.spyOn(performance, 'now').mockImplementation(() => this.elapsedMs);
  }

  uninstall(): void {
    const globals = globalThis as unknown as Record<string, unknown>;
    for (const [name, original] of this.originals) globals[name] = original;
    Date.now = this.dateNow;
    jest.restoreAllMocks();
    this.timers.clear();
  }

  /** Fires what is due within `ms`, in order, and lets everything that follows from it happen. */
  async pass(ms: number, settle: () => Promise<void>): Promise<void> {
    const until = this.elapsedMs + ms;
    await settle();
    for (let next = this.next(until); next !== undefined; next = this.next(until)) {
      this.elapsedMs = Math.max(this.elapsedMs, next.at);
      if (next.everyMs === undefined) this.timers.delete(next.id);
      else next.at = this.elapsedMs + next.everyMs;
      if (next.owner === undefined) next.fire();
      else this.context.run(next.owner, next.fire);
      await settle();
    }
    this.elapsedMs = until;
  }

  /** Earliest first, then in the order of their making. Timers of a frozen process wait, those of a dead one are gone. */
  private next(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers.values()) {
      if (timer.owner?.state === 'dead') this.timers.delete(timer.id);
      else if (timer.owner?.state !== 'frozen' && timer.at <= until) {
        if (first === undefined || timer.at < first.at) first = timer;
      }
    }
    return first;
  }
}

/** Lets all promises that can go on do so. */
export function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    realImmediate(resolve);
  });
}

/** Code calls `unref` and `ref` on what timers return, and gives it back to clear them. */
function handleOf(id: number): object {
  const handle = {
    unref: () => handle,
    ref: () => handle,
    hasRef: () => true,
    [Symbol.toPrimitive]: () => id,
  };
  return handle;
}
