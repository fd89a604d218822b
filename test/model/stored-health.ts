import type { DestinationId } from '../../src/pipeline/delivery';
import type { Argument } from './stored-job';

/** What lies in Redis of a destination that is not well. */
interface Unwell {
  readonly id: DestinationId;
  state: 'failing' | 'suspended';
  since: number;
  by?: 'gone' | 'time' | 'person';
  /** When it was written last, and until when nothing is attempted. */
  at: number;
  untilMs: number;
  print?: string;
  claim?: { readonly by: string; readonly untilMs: number } | undefined;
}

/** What lies there of a destination that rejects everything: nothing that makes attempts may go by it. */
interface Rejecting {
  readonly id: DestinationId;
  readonly state: 'rejecting';
  readonly since: number;
  readonly code: string;
  readonly status: number;
  readonly print: string;
}

/** In the model ten seconds are over soon, */
const REJECTING_APART_MS = 300;
/** and so is a day: then one attempt is let through. */
export const SUSPENDED_MS = 15_000;
const NEVER_MS = 315_360_000_000;

/** What all workers know of destinations that are not well: the twin of health-scripts.ts in src/redis/. */
export class StoredHealth {
  readonly records = new Map<string, Unwell>();
  private readonly rejections = new Map<string, Rejecting>();
  /** Until when nobody says again of a destination that it rejects everything. */
  private readonly saidUntil = new Map<string, number>();
  /** When the record of a destination went last. */
  readonly endedAt = new Map<string, number>();
  private changes: string[] = [];

  constructor(
    private readonly now: () => number,
    /** From then on the line of a destination may be looked at. */
    private readonly turn: (key: string, at: number) => void,
    private readonly isGone: (worker: string) => boolean,
  ) {}

  clear(): void {
    for (const key of this.records.keys()) this.endedAt.set(key, this.now());
    this.records.clear();
    this.rejections.clear();
    this.saidUntil.clear();
    this.changes = [];
  }

  since(version: number): Argument[] {
    const { length } = this.changes;
    if (version === length) return [length, 0];
    const isKnown = version >= 0 && version < length;
    const keys = isKnown
      ? new Set(this.changes.slice(version))
      : new Set([...this.records.keys(), ...this.rejections.keys()]);
    return [
      length,
      isKnown ? 0 : 1,
      ...[...keys].flatMap((key) => {
        const record = this.records.get(key);
        const rejection = this.rejections.get(key);
        return [
          key,
          ...(record === undefined ? ['', 0] : [JSON.stringify(record), this.leftOf(record)]),
          rejection === undefined ? '' : JSON.stringify(rejection),
        ];
      }),
    ];
  }

  unwell(args: readonly Argument[]): Argument[] {
    const [key, id, , , , , , , , print] = args.map(String) as [string, DestinationId, ...string[]];
    const [, , openMs = 0, failingMs = 0, suspendAfter = 0, , , gone] = args.map(Number);
    const now = this.now();
    const known = this.records.get(key);
    if (known?.by === 'person') return [known.state, this.leftOf(known), known.state, 0];
    const record: Unwell = known ?? { id, state: 'failing', since: now - failingMs, at: now, untilMs: now };
    const before = known?.state ?? '';
    if (gone === 1) Object.assign(record, { state: 'suspended', by: 'gone' });
    else if (suspendAfter > 0 && now - record.since >= suspendAfter)
      Object.assign(record, { state: 'suspended', by: record.by ?? 'time' });
    record.at = now;
    record.untilMs = now + (record.state === 'suspended' ? SUSPENDED_MS : openMs);
    Object.assign(record, { print, claim: undefined });
    this.keep(key, record);
    return [record.state, this.leftOf(record), before, 0];
  }

  rejecting(args: readonly Argument[]): Argument[] {
    const [key, id, forMs, code, status, , print] = args.map(String) as [string, DestinationId, ...string[]];
    const now = this.now();
    const before = this.rejections.get(key);
    if (now < (this.saidUntil.get(key) ?? 0)) return [0, before === undefined ? '' : JSON.stringify(before)];
    this.saidUntil.set(key, now + REJECTING_APART_MS);
    const since = before !== undefined && before.print === print ? before.since : now - Number(forMs);
    const record: Rejecting = {
      ...{ id, state: 'rejecting', since },
      ...{ code: code ?? '', status: Number(status), print: print ?? '' },
    };
    this.rejections.set(key, record);
    this.changes.push(key);
    return [before === undefined ? 1 : 0, JSON.stringify(record)];
  }

  rejectingOver(key: string): Argument[] {
    const record = this.rejections.get(key);
    if (record === undefined) return [0];
    this.rejections.delete(key);
    this.changes.push(key);
    return [1, Math.max(0, this.now() - record.since)];
  }

  well(key: string, byPerson: boolean): Argument[] {
    if (byPerson) this.rejectingOver(key);
    const record = this.records.get(key);
    if (record === undefined) return [0];
    if (record.by === 'person' && !byPerson) return [0, this.leftOf(record)];
    this.records.delete(key);
    this.endedAt.set(key, this.now());
    this.changes.push(key);
    this.turn(key, this.now());
    return [1, Math.max(0, this.now() - record.since), record.state, 0];
  }

  claim(key: string, worker: string, claimMs: number): number {
    const record = this.records.get(key);
    if (record === undefined) return -1;
    if (this.leftOf(record) > 0) return this.leftOf(record);
    const { claim } = record;
    const now = this.now();
    if (claim !== undefined && claim.by !== worker && claim.untilMs > now && !this.isGone(claim.by))
      return Math.ceil(claim.untilMs - now);
    record.claim = { by: worker, untilMs: now + claimMs };
    return 0;
  }

  suspend(key: string, id: DestinationId): Argument[] {
    const now = this.now();
    const record: Unwell = this.records.get(key) ?? {
      id,
      state: 'suspended',
      since: now,
      at: now,
      untilMs: 0,
    };
    Object.assign(record, { state: 'suspended', by: 'person', at: now, claim: undefined });
    record.untilMs = now + NEVER_MS;
    this.keep(key, record);
    return [record.state, this.leftOf(record), '', 0];
  }

  private keep(key: string, record: Unwell): void {
    this.records.set(key, record);
    this.changes.push(key);
    this.turn(key, record.untilMs);
  }

  private leftOf({ untilMs }: Unwell): number {
    return Math.max(0, Math.floor(untilMs - this.now()));
  }
}
