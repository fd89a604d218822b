import type { UnwellRecord } from '../health/health-record';
import type { AuditFound, AuditWatch } from '../ledger/audit-watch';
import type { Finding } from '../observability/finding';
import type { Silence } from '../silence/silence-store';
import { type Condition, STANDING_CAUSES, type StandingCause } from './alert-causes';
import { RareReading } from './rare-reading';

export interface AlertReadingsParts {
  /** Destinations that are not well; undefined where that is not known yet. */
  readonly records: () => readonly UnwellRecord[] | undefined;
  readonly silentOnes: () => Promise<ReadonlyMap<string, Silence>>;
  /** Of the oldest parked delivery; 0 where nothing is parked. */
  readonly oldestSeconds: () => Promise<number>;
  readonly inspectRedis: () => Promise<readonly Finding[]>;
  /** Made for all parts and workers together, as it reads every stored delivery. */
  readonly audit: Pick<AuditWatch, 'found'>;
  /** 0: no backlog is too old. */
  readonly backlogMs: number;
  readonly onError: (error: unknown) => void;
}

/** A receiver that restarts fails, or rejects everything, for a moment: nobody is alerted of that. */
const FAILING_FOR_MS = 60_000;
const REDIS_EVERY_MS = 60_000;
/** What was found last is asked for: the audit itself has a pace of its own. */
const AUDIT_EVERY_MS = 60_000;

/** Undefined: that cannot be known at the moment. */
type Found = readonly Condition[] | undefined;

/** Reads what other parts know of everything that an operator is alerted of. What cannot be read makes nothing else unread. */
export class AlertReadings {
  private readonly findings: RareReading<readonly Finding[]>;
  private readonly audit: RareReading<AuditFound | undefined>;

  constructor(private readonly parts: AlertReadingsParts) {
    const { inspectRedis, audit, onError } = parts;
    this.findings = new RareReading({ everyMs: REDIS_EVERY_MS, read: inspectRedis, onError });
    this.audit = new RareReading({ everyMs: AUDIT_EVERY_MS, read: () => audit.found(), onError });
  }

  /** @param now by the clock of Redis */
  async read(
    now: number,
  ): Promise<{ readonly conditions: readonly Condition[]; readonly unread: ReadonlySet<StandingCause> }> {
    const readings: Readonly<Record<StandingCause, () => Found | Promise<Found>>> = {
      'destination-failing': () => this.failing(now),
      'destination-suspended': () => this.suspended(),
      'instance-silent': () => this.silent(),
      backlog: () => this.backlog(now),
      'redis-at-risk': () => this.risks(now),
      'audit-difference': () => this.unbalanced(now),
    };
    const conditions: Condition[] = [];
    const unread = new Set<StandingCause>();
    for (const cause of STANDING_CAUSES) {
      const found = await this.attempt(readings[cause]);
      if (found === undefined) unread.add(cause);
      else conditions.push(...found);
    }
    return { conditions, unread };
  }

  private async attempt(reading: () => Found | Promise<Found>): Promise<Found> {
    try {
      return await reading();
    } catch (error) {
      this.parts.onError(error);
      return undefined;
    }
  }

  private failing(now: number): Found {
    return this.parts
      .records()
      ?.filter(({ state, since }) => state !== 'suspended' && now - since >= FAILING_FOR_MS)
      .map((record) => unwell('destination-failing', record));
  }

  private suspended(): Found {
    return this.parts
      .records()
      ?.filter(({ state }) => state === 'suspended')
      .map((record) => unwell('destination-suspended', record));
  }

  private async silent(): Promise<Found> {
    const silent = await this.parts.silentOnes();
    return [...silent].map(([subject, { since, why }]) => ({
      cause: 'instance-silent',
      subject,
      since,
      why,
    }));
  }

  private async backlog(now: number): Promise<Found> {
    const { backlogMs, oldestSeconds } = this.parts;
    if (backlogMs === 0) return [];
    const oldestMs = (await oldestSeconds()) * 1000;
    if (oldestMs <= backlogMs) return [];
    return [{ cause: 'backlog', subject: 'parked', since: Math.round(now - oldestMs) }];
  }

  private async risks(now: number): Promise<Found> {
    return (await this.findings.value())
      ?.filter(({ state }) => state === 'trouble')
      .map(({ check, detail }) => ({ cause: 'redis-at-risk', subject: check, since: now, detail }));
  }

  private async unbalanced(now: number): Promise<Found> {
    const found = await this.audit.value();
    if (found === undefined) return undefined;
    return [...found.differences].map(([subject, difference]) => ({
      cause: 'audit-difference',
      subject,
      since: now,
      difference,
    }));
  }
}

function unwell(cause: 'destination-failing' | 'destination-suspended', record: UnwellRecord): Condition {
  const { id: subject, state, since, by, code, status, address } = record;
  return {
    ...{ cause, subject, since },
    ...(state === 'rejecting' ? { state } : {}),
    ...(by === undefined ? {} : { by }),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { status }),
    ...(address === undefined ? {} : { address }),
  };
}
