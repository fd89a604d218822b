/** One parked delivery or dead letter, as the scripts of src/redis/ keep it. */
interface Job {
  readonly id: string;
  readonly data: string;
  place:
    | { readonly kind: 'delayed'; readonly due: number; readonly order: number }
    | { readonly kind: 'active' }
    | { readonly kind: 'dead'; readonly reason: string };
  lock: { readonly token: string; until: number } | undefined;
  takenBy: string | undefined;
  /** Attempts since it was stored, and spent before where that is not what its data says. */
  attempts: number;
  spent: number | undefined;
  timesTaken: number;
  isStalled: boolean;
}

export type Argument = string | number;

/** Attempts' lines that change nothing the model looks at are left out: `line` is only asked whether there is one. */
type Script = (...args: readonly Argument[]) => unknown;

/**
 * What lies in Redis, and the scripts that change it, each in one step: the twin of delivery-scripts.ts, queue-scripts.ts,
 * ledger-scripts.ts and dead-letter-scripts.ts in src/redis/.
 */
export class StoredState {
  readonly jobs = new Map<string, Job>();
  readonly counts = { accepted: 0, delivered: 0, discarded: 0 };
  /** Numbers of steps that took effect. */
  readonly done = new Set<string>();
  private lookedAt = Number.NEGATIVE_INFINITY;
  private order = 0;

  constructor(private readonly now: () => number) {}

  /** Scripts that add what was not stored: a full Redis refuses them. */
  static readonly ADDING: ReadonlySet<string> = new Set(['relayPark']);

  run(script: string, args: readonly Argument[]): unknown {
    const found = this.scripts[script];
    if (found === undefined) throw new Error(`the model knows no script ${script}`);
    return found(...args);
  }

  /** What is left out of the audit's equation: always 0. */
  get difference(): number {
    const { accepted, delivered, discarded } = this.counts;
    return accepted - delivered - discarded - this.jobs.size;
  }

  get parked(): number {
    return this.jobs.size - this.dead.length;
  }

  get dead(): readonly { readonly id: string; readonly reason: string }[] {
    return [...this.jobs.values()].flatMap(({ id, place }) =>
      place.kind === 'dead' ? [{ id, reason: place.reason }] : [],
    );
  }

  /** Everything is gone, as after FLUSHALL. */
  flush(): void {
    this.jobs.clear();
    this.done.clear();
    Object.assign(this.counts, { accepted: 0, delivered: 0, discarded: 0 });
    this.lookedAt = Number.NEGATIVE_INFINITY;
  }

  private readonly scripts: Readonly<Record<string, Script>> = {
    relayPark: (id, _destination, _event, data, delay, reason) => {
      if (this.jobs.has(String(id))) return 'known';
      const job: Job = {
        id: String(id),
        data: String(data),
        place: { kind: 'active' },
        lock: undefined,
        takenBy: undefined,
        attempts: 0,
        spent: undefined,
        timesTaken: 0,
        isStalled: false,
      };
      this.jobs.set(job.id, job);
      this.counts.accepted++;
      return this.putBack(job, delay, reason);
    },
    relaySettle: (id, how) => {
      if (!this.jobs.delete(String(id))) return 'gone';
      this.counts[how === 'discarded' ? 'discarded' : 'delivered']++;
      return 'settled';
    },
    relayReturn: (id, token, delay, line) => {
      const job = this.heldBy(id, token);
      if (job === undefined) return 'lost';
      if (line !== '') job.attempts++;
      return this.putBack(job, delay, '');
    },
    relayBury: (id, token, reason, line) => {
      const job = this.heldBy(id, token);
      if (job === undefined) return 'lost';
      if (line !== '') job.attempts++;
      return this.putBack(job, 0, reason);
    },
    relayLate: (id, delay, reason, _line, _limit, timesTaken) => {
      const job = this.jobs.get(String(id));
      if (job?.place.kind !== 'delayed' || job.timesTaken !== timesTaken) return 'gone';
      if (timesTaken > 0) job.attempts++;
      return this.putBack(job, delay, reason);
    },
    relayNext: (most, mostBytes) => this.outlook(Number(most), Number(mostBytes)),
    relayTake: (token, lockMs) => this.take(String(token), Number(lockMs)),
    relayBringForward: () => 0,
    relayMend: () => [0, 0, ''],
    relayExpireLanes: () => [0, 0, []],
    relayHold: (lockMs, ...pairs) => this.hold(Number(lockMs), pairs.map(String)),
    relayRecover: (leaseMs) => this.recover(Number(leaseMs)),
    relayCount: (...args) => {
      for (let index = 0; index + 3 < args.length; index += 4) {
        const [delivered, discarded] = [Number(args[index + 2]), Number(args[index + 3])];
        this.counts.accepted += delivered + discarded;
        this.counts.delivered += delivered;
        this.counts.discarded += discarded;
      }
      return 'counted';
    },
    relayReplay: (id) => {
      const job = this.jobs.get(String(id));
      if (job?.place.kind !== 'dead') return 'not-found';
      Object.assign(job, { attempts: 0, spent: 0, timesTaken: 0, isStalled: false });
      this.putBack(job, 0, '');
      return 'replayed';
    },
  };

  /** The deliveries that wait, in the order in which they are due. */
  private waiting(): readonly { readonly job: Job; readonly due: number }[] {
    return [...this.jobs.values()]
      .flatMap((job) => (job.place.kind === 'delayed' ? [{ job, ...job.place }] : []))
      .sort((a, b) => a.due - b.due || a.order - b.order);
  }

  private outlook(most: number, mostBytes: number): [nextInMs: number, fit: number, missing: string[]] {
    const now = this.now();
    const waiting = this.waiting();
    let bytes = 0;
    let fit = 0;
    for (const { job, due } of waiting) {
      if (due > now || fit >= most || bytes >= mostBytes) break;
      bytes += job.data.length;
      fit++;
    }
    const next = waiting[fit];
    return [next === undefined ? -1 : Math.max(0, next.due - now), fit, []];
  }

  private take(token: string, lockMs: number): string[] {
    const now = this.now();
    const [first] = this.waiting();
    if (first === undefined || first.due > now) return [];
    const { job } = first;
    job.place = { kind: 'active' };
    job.lock = { token, until: now + lockMs };
    job.takenBy = token;
    job.timesTaken++;
    const spent = job.spent === undefined ? '' : String(job.spent);
    return [job.id, job.data, String(job.attempts), spent, String(job.timesTaken)];
  }

  private hold(lockMs: number, pairs: readonly string[]): string[] {
    const now = this.now();
    const lost: string[] = [];
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      const [id = '', token = ''] = [pairs[index], pairs[index + 1]];
      const job = this.jobs.get(id);
      const holder = job === undefined ? undefined : this.holderOf(job);
      const isFree = holder === undefined && job?.takenBy === token && job.place.kind === 'active';
      if (job !== undefined && (holder === token || isFree)) job.lock = { token, until: now + lockMs };
      else lost.push(id);
    }
    return lost;
  }

  private recover(leaseMs: number): [number, number] {
    if (this.now() - this.lookedAt < leaseMs) return [-1, 0];
    this.lookedAt = this.now();
    let recovered = 0;
    for (const job of this.jobs.values()) {
      if (job.place.kind !== 'active' || this.holderOf(job) !== undefined) job.isStalled = false;
      else if (!job.isStalled) job.isStalled = true;
      else {
        this.putBack(job, 0, '');
        recovered++;
      }
    }
    return [recovered, 0];
  }

  private putBack(job: Job, delay: Argument | undefined, reason: Argument | undefined): string {
    job.lock = undefined;
    job.isStalled = false;
    if (reason !== '' && reason !== undefined) {
      job.place = { kind: 'dead', reason: String(reason) };
      return `dead ${reason}`;
    }
    job.place = { kind: 'delayed', due: this.now() + Number(delay), order: this.order++ };
    return 'parked';
  }

  private holderOf({ lock }: Job): string | undefined {
    return lock !== undefined && lock.until > this.now() ? lock.token : undefined;
  }

  private heldBy(id: Argument | undefined, token: Argument | undefined): Job | undefined {
    const job = this.jobs.get(String(id));
    return job !== undefined && this.holderOf(job) === token ? job : undefined;
  }
}
