import type { DestinationId } from '../../src/pipeline/delivery';
import { StoredHealth } from './stored-health';
import { type Argument, type Job, keyOf, newJob } from './stored-job';
import { StoredLanes } from './stored-lanes';
import { StoredPresence } from './stored-presence';
import { StoredTurns } from './stored-turns';

/** What the scripts that store take of each delivery. */
const ENTRY_ARGUMENTS = 10;

const KNOWN_FOR_MS = 3_600_000;

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
  readonly lanes = new StoredLanes();
  /** Whatever was a dead letter once. */
  readonly everDead = new Set<string>();
  private lookedAt = Number.NEGATIVE_INFINITY;
  private order = 0;
  private readonly turns: StoredTurns;
  readonly health: StoredHealth;
  readonly presence: StoredPresence;

  /** @param ordered the id of the destination that is */
  constructor(
    private readonly now: () => number,
    private readonly ordered: string,
  ) {
    this.presence = new StoredPresence({
      jobs: this.jobs,
      now,
      makeDue: (job) => {
        job.place = { kind: 'delayed', due: now(), inLine: false };
      },
    });
    this.health = new StoredHealth(
      now,
      (key, at) => this.turns.turn(key, at),
      (worker) => this.presence.isGone(worker),
    );
    const untilOf = (key: string): number => this.health.records.get(key)?.untilMs ?? 0;
    this.turns = new StoredTurns({ jobs: this.jobs, untilOf, now });
  }

  /** Scripts that add what was not stored: a full Redis refuses them. */
  static readonly ADDING: ReadonlySet<string> = new Set(['relayPark', 'relayAppend']);

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
    this.lanes.clear();
    this.turns.clear();
    this.health.clear();
    this.presence.clear();
    Object.assign(this.counts, { accepted: 0, delivered: 0, discarded: 0 });
    this.lookedAt = Number.NEGATIVE_INFINITY;
  }

  private readonly scripts: Readonly<Record<string, Script>> = {
    relayPark: (...args) => {
      const answer = this.park(args.slice(0, ENTRY_ARGUMENTS), String(args[10]), String(args[11]));
      if (answer === 'parked') this.underWay(args[0], args[13]);
      return answer;
    },
    relayAppend: (lane, all, ...entries) => this.append(String(lane), all === 1, entries),
    relayLanes: (...lanes) =>
      lanes.flatMap((lane) => [this.lanes.countOf(String(lane)), this.lanes.gapOf(String(lane))]),
    relayGapTold: (lane, id) => this.lanes.told(String(lane), String(id)),
    relaySettle: (...pairs) =>
      pairs.flatMap((id, index) => (index % 2 === 0 ? [this.settle(String(id), pairs[index + 1])] : [])),
    relayReturn: (id, token, delay, line, _limit, worker) => {
      const job = this.heldBy(id, token);
      if (job === undefined) return 'lost';
      if (line !== '') job.attempts++;
      const answer = this.putBack(job, delay, '');
      this.underWay(id, worker);
      return answer;
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
    relayPresent: (worker, goneMs) => this.presence.say(String(worker), Number(goneMs)),
    relayNext: (...args) => this.turns.next(args),
    relayBringForward: () => 0,
    relayMend: () => [0, 0, '', 0],
    relayExpireLanes: (maxAgeMs) => this.expireLanes(Number(maxAgeMs)),
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
    relayHealthSince: (version) => this.health.since(Number(version)),
    relayUnwell: (...args) => this.health.unwell(args),
    relayWell: (key, byPerson) => this.health.well(String(key), byPerson === 1),
    relayClaimProbe: (key, worker, claimMs) =>
      this.health.claim(String(key), String(worker), Number(claimMs)),
    relayRejecting: (...args) => this.health.rejecting(args),
    relayRejectingOver: (key) => this.health.rejectingOver(String(key)),
    relaySuspend: (key, id) => this.health.suspend(String(key), id as DestinationId),
    // One destination is ordered for long, as every worker knows, and a flush keeps it; how that begins has a model of its own (order-switch.test.ts).
    relayOrder: () => [[this.ordered, 'ordered', '0', this.now() + KNOWN_FOR_MS, 0, '0', '']],
    relayReplay: (id) => {
      const job = this.jobs.get(String(id));
      if (job?.place.kind !== 'dead') return 'not-found';
      Object.assign(job, { attempts: 0, spent: 0, timesTaken: 0, isStalled: false });
      this.putBack(job, 0, '');
      return 'replayed';
    },
  };

  /** Whatever of `relayPark` says nothing of lanes, then the lane, and the gap that the delivery was told of. */
  private park(entry: readonly Argument[], lane: string, gap: string): string {
    const [id = '', destination = '', , data = '', delay, reason = ''] = entry;
    if (this.jobs.has(String(id))) return 'known';
    const isDead = reason !== '';
    const told = gap === '' ? this.lanes.gapOf(lane) : gap;
    const job = newJob({
      id: String(id),
      data: String(data),
      order: this.order++,
      lane: isDead ? '' : lane,
      gap: told,
    });
    this.jobs.set(job.id, job);
    this.turns.names.set(keyOf(job.id), String(destination));
    this.counts.accepted++;
    if (!isDead && told !== '') this.lanes.told(lane);
    if (isDead) this.lanes.tell(lane, job.id);
    if (!isDead && !this.lanes.enter(lane, job.id, this.now())) return 'parked';
    return this.putBack(job, delay, reason);
  }

  /** The worker that has its request under way, where one has. */
  private underWay(id: Argument | undefined, worker: Argument | undefined): void {
    const job = this.jobs.get(String(id));
    if (job !== undefined) job.slowBy = String(worker ?? '');
  }

  private append(lane: string, all: boolean, entries: readonly Argument[]): string[] {
    const answers: string[] = [];
    for (let index = 0; index < entries.length && answers.at(-1) !== 'direct'; index += ENTRY_ARGUMENTS) {
      const entry = entries.slice(index, index + ENTRY_ARGUMENTS);
      const isBehind = all || this.jobs.has(String(entry[0])) || this.lanes.countOf(lane) > 0;
      answers.push(isBehind ? this.park(entry, lane, '') : 'direct');
    }
    return [...answers, this.lanes.gapOf(lane)];
  }

  /** The one behind it is due at once in its stead. */
  private settle(id: string, how: Argument | undefined): string {
    const job = this.jobs.get(id);
    if (job === undefined) return 'gone';
    this.leaveLane(job, false);
    this.jobs.delete(job.id);
    this.counts[how === 'discarded' ? 'discarded' : 'delivered']++;
    return 'settled';
  }

  private leaveLane({ id, lane }: Job, isGap: boolean): void {
    const left = this.lanes.leave(lane, id, this.now());
    if (left === undefined) return;
    const next = left.next === undefined ? undefined : this.jobs.get(left.next);
    if (isGap && next === undefined) this.lanes.tell(lane, id);
    else if (isGap && next !== undefined) next.gap = id;
    if (next !== undefined && left.wasFirst) this.putBack(next, 0, '');
  }

  private expireLanes(maxAgeMs: number): [number, number, string[]] {
    let stay = 0;
    const gone: string[] = [];
    const old = this.lanes.oldest(this.now() - maxAgeMs);
    for (const { first } of old) {
      const job = this.jobs.get(first);
      if (job?.place.kind !== 'delayed') stay++;
      else if (this.couldNotGoOn(job)) this.lanes.beginAnew(job.lane, this.now());
      else {
        this.putBack(job, 0, 'expired');
        gone.push('', '');
      }
    }
    return [old.length, stay, gone];
  }

  private couldNotGoOn({ id, place, timesTaken }: Job): boolean {
    const record = this.health.records.get(keyOf(id));
    if (record !== undefined) return record.state === 'suspended';
    return place.kind === 'delayed' && place.inLine && timesTaken === 0;
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
    job.slowBy = '';
    if (reason !== '' && reason !== undefined) {
      job.place = { kind: 'dead', reason: String(reason) };
      this.leaveLane(job, true);
      job.lane = '';
      this.everDead.add(job.id);
      return `dead ${reason}`;
    }
    const inLine = Number(delay) < 0;
    job.place = { kind: 'delayed', due: this.now() + Number(delay), inLine };
    if (inLine) this.turns.enter(job.id);
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
