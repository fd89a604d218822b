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
  /** It brings something from elsewhere: what arrives at the same instant may arrive in any order. */
  readonly isWire: boolean;
  readonly fire: () => void;
}

/** Decides what arrives first of several arrivals at one instant; calls each of them once. */
export type Order = (arrivals: readonly (() => Promise<void>)[]) => Promise<void>;

/** 2026-01-01: nothing depends on it. */
const EPOCH_MS = 1_767_225_600_000;
const realImmediate = setImmediate;
/** One for all runs: each costs every promise something. */
const CONTEXT = new AsyncLocalStorage<Owner | undefined>();

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
  order: Order | undefined;
  private readonly timers = new Map<number, Timer>();
  private readonly originals = new Map<string, unknown>();
  private nextId = 1;
  private elapsedMs = 0;

  get now(): number {
    return this.elapsedMs;
  }

  /** Runs `work` as a part of this process; undefined: of the world outside. */
  as<T>(owner: Owner | undefined, work: () => T): T {
    return CONTEXT.run(owner, work);
  }

  /** Something on its way through the network: it belongs to no process, and arrives after `ms`. */
  wire(ms: number, fire: () => void): void {
    const id = this.nextId++;
    const at = this.elapsedMs + ms;
    this.timers.set(id, { id, at, everyMs: undefined, owner: undefined, isWire: true, fire });
  }

  /** Of the world outside, such as a broker's own time limit. */
  later(ms: number, fire: () => void): void {
    const id = this.nextId++;
    const at = this.elapsedMs + ms;
    this.timers.set(id, { id, at, everyMs: undefined, owner: undefined, isWire: false, fire });
  }

  install(): void {
    const replacements: Record<(typeof PATCHED)[number], unknown> = {
      setTimeout: (fire: () => void, ms?: number, ...args: unknown[]) => this.set(fire, ms, false, args),
      setInterval: (fire: () => void, ms?: number, ...args: unknown[]) => this.set(fire, ms, true, args),
      setImmediate: (fire: () => void, ...args: unknown[]) => this.set(fire, 0, false, args),
      clearTimeout: (handle: unknown) => this.clear(handle),
      clearInterval: (handle: unknown) => this.clear(handle),
      clearImmediate: (handle: unknown) => this.clear(handle),
    };
    for (const name of PATCHED) this.replace(globalThis, name, replacements[name]);
    this.replace(Date, 'now', () => EPOCH_MS + Math.floor(this.elapsedMs) + this.skewMs);
    this.replace(performance, 'now', () => this.elapsedMs);
    this.replace(Math, 'random', numbers());
  }

  uninstall(): void {
    const targets: Readonly<Record<string, object>> = {
      now: Date,
      performanceNow: performance,
      random: Math,
    };
    for (const [name, original] of this.originals)
      Reflect.set(targets[name] ?? globalThis, name === 'performanceNow' ? 'now' : name, original);
    this.timers.clear();
  }

  /**
   * Fires what is due within `ms`, in order, and lets everything that follows from it happen. Ends early where `isEnough`
   * says so, asked at each instant.
   */
  async pass(ms: number, isEnough: () => boolean = () => false): Promise<void> {
    const until = this.elapsedMs + ms;
    await microtasks();
    for (let due = this.due(until); due.length > 0; due = this.due(until)) {
      const [first] = due;
      this.elapsedMs = Math.max(this.elapsedMs, first?.at ?? 0);
      const arrivals = due.map((timer) => () => this.fire(timer));
      if (arrivals.length > 1 && this.order !== undefined) await this.order(arrivals);
      else for (const arrive of arrivals) await arrive();
      if (isEnough()) return;
    }
    this.elapsedMs = until;
  }

  private get skewMs(): number {
    return CONTEXT.getStore()?.skewMs ?? 0;
  }

  private replace(target: object, name: string, replacement: unknown): void {
    this.originals.set(target === performance ? 'performanceNow' : name, Reflect.get(target, name));
    Reflect.set(target, name, replacement);
  }

  private set(fire: (...args: unknown[]) => void, ms = 0, isInterval: boolean, args: unknown[]): object {
    const delayMs = Math.max(0, ms);
    const timer: Timer = {
      id: this.nextId++,
      at: this.elapsedMs + delayMs,
      everyMs: isInterval ? Math.max(1, delayMs) : undefined,
      owner: CONTEXT.getStore(),
      isWire: false,
      fire: () => fire(...args),
    };
    this.timers.set(timer.id, timer);
    return new TimerHandle(timer.id);
  }

  private clear(handle: unknown): void {
    if (handle !== undefined && handle !== null) this.timers.delete(Number(handle));
  }

  private fire(timer: Timer): Promise<void> {
    if (!this.timers.has(timer.id)) return microtasks();
    if (timer.everyMs === undefined) this.timers.delete(timer.id);
    else timer.at = this.elapsedMs + timer.everyMs;
    CONTEXT.run(timer.owner, timer.fire);
    return microtasks();
  }

  /**
   * The earliest, in the order of their making: one timer, or all arrivals of one instant. Timers of a frozen process
   * wait, those of a dead one are gone.
   */
  private due(until: number): Timer[] {
    let first: Timer | undefined;
    for (const timer of this.timers.values()) {
      if (timer.owner?.state === 'dead') this.timers.delete(timer.id);
      else if (timer.owner?.state !== 'frozen' && timer.at <= until) {
        if (first === undefined || timer.at < first.at) first = timer;
      }
    }
    if (first === undefined) return [];
    if (!first.isWire || this.order === undefined) return [first];
    const { at } = first;
    return [...this.timers.values()].filter((timer) => timer.isWire && timer.at === at);
  }
}

/** Lets all promises that can go on do so. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    realImmediate(resolve);
  });
}

/** The same ones in every run, so that a run can be made again: a linear congruential generator. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Code calls `unref` and `ref` on what timers return, and gives it back to clear them. */
class TimerHandle {
  constructor(private readonly id: number) {}

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }
}
