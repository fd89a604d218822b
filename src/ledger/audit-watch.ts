import type { RetryStore } from '../retry/retry-store';
import { monotonicMs } from '../time/monotonic';
import { audit } from './audit';

const INTERVAL_MS = 300_000;
/** The audit of a million takes 0.3 s of Redis: together, all audits take no more than a thousandth of its time. */
const PAUSE_FACTOR = 1000;
/** A difference is known until the audit after the next one. */
const KNOWN_FACTOR = 3;
/** Destinations that are named: all others count in the sum. */
const MOST_NAMED = 100;

/** What does not balance, by destination. */
export type Differences = ReadonlyMap<string, number>;

export interface AuditFound {
  /** The sum of all differences, whatever their sign. */
  readonly difference: number;
  /** Those of most destinations. */
  readonly differences: Differences;
}

/** The audit, made by one of the workers every five minutes; all of them know what it found. */
export class AuditWatch {
  constructor(private readonly store: Pick<RetryStore, 'isReady' | 'call'>) {}

  /** Undefined where nothing is known. */
  async found(): Promise<AuditFound | undefined> {
    if (!this.store.isReady) return undefined;
    const [isMine, known, differing] = (await this.store.call('relayAuditTurn', INTERVAL_MS)) as [
      number,
      string,
      string,
    ];
    if (isMine === 1) return this.find();
    return known === '' ? undefined : { difference: Number(known), differences: parsed(known, differing) };
  }

  private async find(): Promise<AuditFound> {
    const begun = monotonicMs();
    const all = await this.differingTwice();
    const difference = [...all.values()].reduce((sum, each) => sum + Math.abs(each), 0);
    const differences = new Map([...all].slice(0, MOST_NAMED));
    const pauseMs = Math.max(INTERVAL_MS, Math.ceil((monotonicMs() - begun) * PAUSE_FACTOR));
    const text = JSON.stringify([...differences]);
    await this.store.call('relayAuditFound', difference, pauseMs, pauseMs * KNOWN_FACTOR, text);
    return { difference, differences };
  }

  /** What differs twice in a row: a count that is just being written is no finding. */
  private async differingTwice(): Promise<Differences> {
    const first = await this.differing();
    if (first.size === 0) return first;
    const again = await this.differing();
    return new Map([...again].filter(([destination]) => first.has(destination)));
  }

  private async differing(): Promise<Differences> {
    const { destinations } = await audit(this.store);
    const lines = destinations.filter(({ difference }) => difference !== 0);
    return new Map(lines.map(({ destination, difference }) => [destination, difference]));
  }
}

/** A worker of an earlier version writes the sum alone: then nothing is named that did not differ before. */
function parsed(difference: string, differing: string): Differences {
  if (difference === '0' || differing === '') return new Map();
  const rows = JSON.parse(differing) as readonly (readonly [string, number])[];
  return new Map(rows);
}
