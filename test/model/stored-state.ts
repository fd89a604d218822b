import { DESTINATION_KEY_LENGTH } from '../../src/pipeline/delivery';

/** One parked delivery or dead letter, as the scripts of src/redis/ keep it. */
interface Job {
  readonly id: string;
  readonly data: string;
  /** Those that were parked before have a lower one. */
  readonly order: number;
  place:
    | { readonly kind: 'delayed'; readonly due: number; readonly inLine: boolean }
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
  /** Until when nobody is told of a line. */
  private readonly putOff = new Map<string, number>();

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
        order: this.order++,
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
    relayNext: (...args) => this.next(args),
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

  /** Deliveries in the line of a destination, in the order in which they were parked; of every one where there is no key. */
  private line(key = ''): Job[] {
    return [...this.jobs.values()]
      .filter(({ id, place }) => place.kind === 'delayed' && place.inLine && id.endsWith(key))
      .sort((a, b) => a.order - b.order);
  }

  private next(args: readonly Argument[]): unknown {
    const [, mostBytes = 0, lockMs = 0, , firstToken = 0, , wishes = 0] = args.map(Number);
    const name = String(args[3]);
    const now = this.now();
    let nextIn = -1;
    for (const job of this.jobs.values()) {
      const { place } = job;
      if (place.kind !== 'delayed' || place.inLine) continue;
      if (place.due <= now) job.place = { ...place, inLine: true };
      else if (nextIn < 0 || place.due - now < nextIn) nextIn = place.due - now;
    }
    const [taken, left]: [string[][], (string | number)[]] = [[], []];
    let bytes = 0;
    for (let index = 7; index < 7 + 2 * wishes; index += 2) {
      const key = String(args[index]);
      for (const job of this.line(key).slice(0, Number(args[index + 1]))) {
        if (bytes >= mostBytes) break;
        bytes += job.data.length;
        taken.push(this.take(job, `${name}:${firstToken + taken.length}`, lockMs));
      }
      left.push(key, this.line(key).length);
    }
    for (let index = 7 + 2 * wishes; index + 1 < args.length; index += 2)
      this.putOff.set(String(args[index]), now + Number(args[index + 1]));
    return [nextIn, [], taken, left, this.linesNow(now)];
  }

  private linesNow(now: number): string[] {
    const found = new Map<string, string>();
    for (const { id, data } of this.line()) {
      const key = id.slice(-DESTINATION_KEY_LENGTH);
      if ((this.putOff.get(key) ?? 0) <= now) found.set(key, JSON.parse(data).d);
    }
    return [...found].flat();
  }

  private take(job: Job, token: string, lockMs: number): string[] {
    job.place = { kind: 'active' };
    job.lock = { token, until: this.now() + lockMs };
    job.takenBy = token;
    job.timesTaken++;
    const options = job.spent === undefined ? '{}' : JSON.stringify({ spent: job.spent });
    return [job.id, token, job.data, String(job.attempts), options, String(job.timesTaken), '0'];
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
    job.place = { kind: 'delayed', due: this.now() + Number(delay), inLine: Number(delay) < 0 };
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
