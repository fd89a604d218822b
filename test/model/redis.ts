import { StoreUnavailableError } from '../../src/errors';
import { NotStoredError, type Step, type StoredCalls } from '../../src/retry/retry-store';
import { refusal } from '../support/values/refusal';
import { STALLED_MS } from './limits';
import type { Process } from './process';
import type { Argument } from './stored-job';
import { StoredState } from './stored-state';
import type { VirtualTime } from './virtual-time';

/** How Redis treats what reaches it; `silent` with effect: calls are made, and their answers never come. */
export type RedisMode = 'up' | 'slow' | 'full' | 'away' | 'silent' | 'silent-with-effect';

const LATENCY_MS = 1;
const SLOW_MS = 400;
/** A call that is not answered for longer is given up. */
const CALL_MS = 2000;

/** A Redis: all that asks it comes by one network, and it has one state. */
export class ModelRedis {
  readonly state: StoredState;
  /** When deliveries are free again that were taken by nobody who knows of it. */
  readonly freeAt = new Map<string, number>();
  /** Answers that a change took are waited for until then. */
  callsGivenUpAt = Number.NEGATIVE_INFINITY;
  private current: RedisMode = 'up';
  private readonly listeners: (() => void)[] = [];
  private incarnation = 0;

  /** @param ordered the id of the destination that is */
  constructor(
    readonly time: VirtualTime,
    ordered: string,
  ) {
    this.state = new StoredState(() => time.now, ordered);
  }

  get mode(): RedisMode {
    return this.current;
  }

  /** Whether it answers at all. */
  get answers(): boolean {
    return this.current === 'up' || this.current === 'slow' || this.current === 'full';
  }

  /** Called whenever it begins to answer again. */
  onBack(listener: () => void): void {
    this.listeners.push(listener);
  }

  become(mode: RedisMode): void {
    const answered = this.answers;
    this.current = mode;
    this.callsGivenUpAt = this.time.now + CALL_MS;
    if (!this.answers) this.incarnation++;
    else if (!answered) for (const listener of this.listeners) listener();
  }

  /** A process is gone: what it took is held by nobody. */
  forget(name = ''): void {
    for (const { id, place, takenBy } of this.state.jobs.values())
      if (place.kind === 'active' && takenBy?.startsWith(`${name}:`) === true) this.heldByNobody(id);
  }

  heldByNobody(id: string): void {
    this.freeAt.set(id, this.time.now + STALLED_MS);
  }

  /**
   * Makes a call for a process: its answer, or the lack of one.
   * @param onLost the call was made, and the process never hears of it
   */
  ask<T>(process: Process, work: () => T, onLost: (answer: T) => void = () => {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new StoreUnavailableError(why));
      if (this.current === 'away') return fail('the connection is closed');
      const timer = setTimeout(() => fail('no answer'), CALL_MS);
      const { incarnation } = this;
      this.time.wire(LATENCY_MS, () => {
        if (this.incarnation !== incarnation && this.current !== 'silent-with-effect') return;
        if (this.current === 'away' || this.current === 'silent') return;
        const answer = work();
        this.time.wire(this.current === 'slow' ? SLOW_MS : LATENCY_MS, () => {
          if (this.incarnation !== incarnation || process.state === 'dead') return onLost(answer);
          process.reach(() => {
            clearTimeout(timer);
            resolve(answer);
          });
        });
      });
    });
  }
}

type Answer = { readonly ok: true; readonly reply: unknown } | { readonly ok: false };

/** The store as one process reaches it: RetryStore with its OnceWriter. */
export class MemoryStore implements StoredCalls {
  private last = 0;
  readonly prefix = '{model}';

  constructor(
    private readonly redis: ModelRedis,
    private readonly process: Process,
  ) {
    process.onDeath(() => redis.state.presence.dies(process.name));
  }

  get isReady(): boolean {
    return this.redis.mode !== 'away';
  }

  call(script: string, ...args: readonly Argument[]): Promise<unknown> {
    const { redis } = this;
    return redis.ask(
      this.process,
      () => redis.state.run(script, args),
      (answer) => {
        const [, , taken = []] = script === 'relayNext' ? (answer as readonly string[][][]) : [];
        for (const [id = ''] of taken) redis.heldByNobody(id);
      },
    );
  }

  step(script: string, args: readonly Argument[], reply?: (reply: unknown) => void): Step {
    return { script, args, number: ++this.last, wasSent: false, reply };
  }

  async write(steps: readonly Step[]): Promise<void> {
    if (!this.isReady) throw new StoreUnavailableError('Redis is away');
    const before = steps.map(({ wasSent }) => wasSent);
    for (const step of steps) step.wasSent = true;
    const answers = await this.redis.ask(this.process, () => steps.map((step) => this.once(step)));
    const refused = new Map<number, Error>();
    for (const [index, answer] of answers.entries()) {
      if (answer.ok && answer.reply !== undefined) steps[index]?.reply?.(answer.reply);
      if (answer.ok) continue;
      refused.set(index, refusal('OOM'));
      const step = steps[index];
      if (step !== undefined) step.wasSent = before[index] === true;
    }
    if (refused.size > 0) throw new NotStoredError(refused);
  }

  private once({ number, script, args }: Step): Answer {
    const { state, mode } = this.redis;
    const name = `${this.process.name}:${number}`;
    if (state.done.has(name)) return { ok: true, reply: undefined };
    if (mode === 'full' && StoredState.ADDING.has(script)) return { ok: false };
    state.done.add(name);
    return { ok: true, reply: state.run(script, args as readonly Argument[]) };
  }
}
