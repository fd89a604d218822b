/** What a turn is asked for: claims of one group, and files of one host, get no more than their shares. */
export interface TurnRequest {
  /** Queue and instance. */
  readonly group: string;
  readonly host: string;
}

/** Files under way, or fetched and not settled yet. */
export const TURNS = 16;
/** Of one queue and instance. */
export const TURNS_PER_GROUP = 4;
/** Of one host: one that does not answer leaves turns to others. */
export const TURNS_PER_HOST = 12;
/** Messages that wait, of at most 16 KB each. More go back to their queues. */
export const MAX_WAITING = 1000;
export const MAX_WAITING_PER_GROUP = 250;

interface Waiting extends TurnRequest {
  readonly decide: (isGranted: boolean) => void;
}

/** Lets claims be redeemed a few at a time: groups take turns, each in the order of its messages. */
export class ClaimTurns {
  /** The group that is next comes first. */
  private readonly groups = new Map<string, Set<Waiting>>();
  private readonly openOf = new Map<string, number>();
  private open = 0;
  private waiting = 0;
  private closed = false;

  get openCount(): number {
    return this.open;
  }

  get waitingCount(): number {
    return this.waiting;
  }

  /** Resolves to whether it is its turn, which it holds until `leave`: false where too many wait, or it took too long. */
  enter(request: TurnRequest, maxWaitMs: number): Promise<boolean> {
    const line = this.groups.get(request.group);
    const isFull = this.waiting >= MAX_WAITING || (line?.size ?? 0) >= MAX_WAITING_PER_GROUP;
    if (this.closed || isFull) return Promise.resolve(false);
    return new Promise((resolve) => {
      const entry: Waiting = {
        ...request,
        decide: (isGranted) => {
          clearTimeout(timer);
          this.remove(entry);
          resolve(isGranted);
        },
      };
      const timer = setTimeout(() => entry.decide(false), maxWaitMs);
      this.waiting++;
      if (line === undefined) this.groups.set(request.group, new Set([entry]));
      else line.add(entry);
      this.grant();
    });
  }

  leave(request: TurnRequest): void {
    this.count(request, -1);
    this.grant();
  }

  /** Turns that are waited for are not given any more. */
  close(): void {
    this.closed = true;
    for (const line of [...this.groups.values()]) for (const entry of [...line]) entry.decide(false);
  }

  private grant(): void {
    for (const [group, line] of [...this.groups]) {
      if (this.closed || this.open >= TURNS) return;
      const [next] = line;
      if (next === undefined || !this.hasTurnFor(next)) continue;
      this.groups.delete(group);
      this.groups.set(group, line);
      this.count(next, 1);
      next.decide(true);
    }
  }

  private hasTurnFor({ group, host }: TurnRequest): boolean {
    const ofGroup = this.openOf.get(groupKey(group)) ?? 0;
    return ofGroup < TURNS_PER_GROUP && (this.openOf.get(hostKey(host)) ?? 0) < TURNS_PER_HOST;
  }

  private count({ group, host }: TurnRequest, change: 1 | -1): void {
    this.open += change;
    for (const key of [groupKey(group), hostKey(host)]) {
      const count = (this.openOf.get(key) ?? 0) + change;
      if (count > 0) this.openOf.set(key, count);
      else this.openOf.delete(key);
    }
  }

  private remove(entry: Waiting): void {
    const line = this.groups.get(entry.group);
    if (line?.delete(entry) !== true) return;
    this.waiting--;
    if (line.size === 0) this.groups.delete(entry.group);
  }
}

function groupKey(group: string): string {
  return `group ${group}`;
}

function hostKey(host: string): string {
  return `host ${host}`;
}
