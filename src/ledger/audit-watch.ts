import type { RetryStore } from '../retry/retry-store';
import { monotonicMs } from '../time/monotonic';
import { audit } from './audit';

const INTERVAL_MS = 300_000;
/** The audit of a million takes 0.3 s of Redis: together, all audits take no more than a thousandth of its time. */
const PAUSE_FACTOR = 1000;
/** A difference is known until the audit after the next one. */
const KNOWN_FACTOR = 3;

/** The audit, made by one of the workers every five minutes; all of them know what it found. */
export class AuditWatch {
  constructor(private readonly store: Pick<RetryStore, 'isReady' | 'call'>) {}

  /** The sum of all differences, whatever their sign; undefined where nothing is known. */
  async difference(): Promise<number | undefined> {
    if (!this.store.isReady) return undefined;
    const [isMine, known] = (await this.store.call('relayAuditTurn', INTERVAL_MS)) as [number, string];
    if (isMine === 1) return this.find();
    return known === '' ? undefined : Number(known);
  }

  private async find(): Promise<number> {
    const begun = monotonicMs();
    const { destinations } = await audit(this.store);
    const difference = destinations.reduce((sum, line) => sum + Math.abs(line.difference), 0);
    const pauseMs = Math.max(INTERVAL_MS, Math.ceil((monotonicMs() - begun) * PAUSE_FACTOR));
    await this.store.call('relayAuditFound', difference, pauseMs, pauseMs * KNOWN_FACTOR);
    return difference;
  }
}
