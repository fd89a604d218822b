import type { StoredCalls } from '../retry/retry-store';
import type { NewDeadLetters } from './alert-causes';
import { parseTold, type Told } from './told-alerts';

/** What a worker learns that is the one which alerts. */
export interface AlertLease {
  /** By the clock of Redis. */
  readonly now: number;
  /** Undefined where nothing was said yet, or it was so long ago that it is forgotten. */
  readonly told: Told | undefined;
}

/** A day is the longest pause between two messages of what goes on. */
const TOLD_KEPT_MS = 7 * 86_400_000;

/** What all workers know together of alerts, in Redis: one of them sends. */
export class AlertStore {
  constructor(private readonly calls: Pick<StoredCalls, 'isReady' | 'call'>) {}

  get isReady(): boolean {
    return this.calls.isReady;
  }

  /** Undefined where another worker alerts. */
  async lease(worker: string, ms: number): Promise<AlertLease | undefined> {
    const [now = -1, text = ''] = (await this.calls.call('relayAlertWatch', worker, ms)) as [
      number?,
      string?,
    ];
    return now < 0 ? undefined : { now, told: parseTold(text) };
  }

  /** False where another worker alerts by now. */
  async keep(worker: string, told: Told): Promise<boolean> {
    return (await this.calls.call('relayAlertTold', worker, JSON.stringify(told), TOLD_KEPT_MS)) === 1;
  }

  async leave(worker: string): Promise<void> {
    if (this.calls.isReady) await this.calls.call('relayAlertLeave', worker);
  }

  async newDeadLetters(since: number): Promise<NewDeadLetters> {
    const reply = (await this.calls.call('relayNewDead', since)) as [number, number, ...string[]];
    const [until, count, ...each] = reply;
    const reasons: Record<string, number> = {};
    for (const reason of each) reasons[reason] = (reasons[reason] ?? 0) + 1;
    return { until, count, reasons };
  }
}
