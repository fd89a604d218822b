import { type Argument, type Job, keyOf } from './stored-job';
import { StoredLines } from './stored-lines';

export interface TurnsParts {
  readonly jobs: ReadonlyMap<string, Job>;
  /** Until when nothing is attempted to a destination, by its key. */
  readonly untilOf: (key: string) => number;
  readonly now: () => number;
}

/** What workers take of the lines of destinations: the twin of next-script.ts in src/redis/. */
export class StoredTurns {
  /** Of destinations, by key. */
  readonly names = new Map<string, string>();
  private readonly lines = new StoredLines();

  constructor(private readonly parts: TurnsParts) {}

  clear(): void {
    this.lines.clear();
  }

  /** From then on the line of a destination may be looked at. */
  turn(key: string, at: number): void {
    this.lines.turn(key, at);
  }

  /** A delivery has come into the line of its destination. */
  enter(id: string): void {
    const key = keyOf(id);
    this.lines.enter(key, Math.max(this.parts.now(), this.parts.untilOf(key)));
  }

  next(args: readonly Argument[]): unknown {
    const [, mostBytes = 0, lockMs = 0, , firstToken = 0, , wishes = 0] = args.map(Number);
    const name = String(args[3]);
    const now = this.parts.now();
    this.lineUpDue();
    const [taken, left]: [string[][], (string | number)[]] = [[], []];
    let bytes = 0;
    for (let index = 7; index < 7 + 2 * wishes; index += 2) {
      const key = String(args[index]);
      for (const job of this.line(key).slice(0, Number(args[index + 1]))) {
        if (bytes >= mostBytes) break;
        bytes += job.data.length;
        taken.push(this.take(job, `${name}:${firstToken + taken.length}`, lockMs));
      }
      const rest = this.line(key).length;
      left.push(key, rest);
      this.lines.took(key, rest, now);
    }
    for (let index = 7 + 2 * wishes; index + 1 < args.length; index += 2)
      this.lines.turn(String(args[index]), now + Number(args[index + 1]));
    const lines = this.lines.now(now).flatMap((key) => [key, this.names.get(key) ?? '']);
    return [this.nextIn(now), [], taken, left, lines];
  }

  private lineUpDue(): void {
    for (const job of this.parts.jobs.values()) {
      const { place } = job;
      if (place.kind !== 'delayed' || place.inLine || place.due > this.parts.now()) continue;
      job.place = { ...place, inLine: true };
      this.enter(job.id);
    }
  }

  private nextIn(now: number): number {
    let nextAt = this.lines.next(now);
    for (const { place } of this.parts.jobs.values())
      if (place.kind === 'delayed' && !place.inLine) nextAt = Math.min(nextAt, place.due);
    return nextAt === Number.POSITIVE_INFINITY ? -1 : nextAt - now;
  }

  private take(job: Job, token: string, lockMs: number): string[] {
    job.place = { kind: 'active' };
    job.lock = { token, until: this.parts.now() + lockMs };
    job.takenBy = token;
    job.timesTaken++;
    const told = job.gap === '' ? {} : { gap: job.gap };
    const options = JSON.stringify(job.spent === undefined ? told : { spent: job.spent });
    return [job.id, token, job.data, String(job.attempts), options, String(job.timesTaken), '0'];
  }

  /** Deliveries in the line of a destination, in the order in which they were parked; of every one where there is no key. */
  private line(key = ''): Job[] {
    return [...this.parts.jobs.values()]
      .filter(({ id, place }) => place.kind === 'delayed' && place.inLine && id.endsWith(key))
      .sort((a, b) => a.order - b.order);
  }
}
