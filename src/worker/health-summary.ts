import type { HealthBoard } from '../health/health-board';
import type { Logger } from '../observability/logging';
import { destinationKey } from '../pipeline/delivery';
import type { RetryStore } from '../retry/retry-store';
import { Looks } from '../time/looks';

export interface HealthSummaryParts {
  readonly board: Pick<HealthBoard, 'records' | 'counts'>;
  readonly store: Pick<RetryStore, 'isReady' | 'call'>;
  readonly log: Logger;
  readonly onError: (error: unknown) => void;
}

const INTERVAL_MS = 300_000;
/** A little less: of several workers one says it, once in each interval. */
const LEASE_MS = 290_000;
const NAMED = 5;

/** Logs every five minutes, at one of the workers, which destinations are not well, as long as there are such. */
export class HealthSummary {
  private readonly looks = new Looks(INTERVAL_MS, () => this.tell());

  constructor(private readonly parts: HealthSummaryParts) {}

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  async tell(): Promise<void> {
    const { board, store, log, onError } = this.parts;
    const { records } = board;
    if (records.length === 0 || !store.isReady) return;
    try {
      const keys = records.map(({ id }) => destinationKey(id));
      const waiting = Number(await store.call('relayHealthSummary', LEASE_MS, ...keys));
      if (waiting < 0) return;
      const longest = [...records].sort((a, b) => a.since - b.since).slice(0, NAMED);
      log.warn('destinations that are not well', {
        ...board.counts,
        waiting,
        longest: longest.map(({ id }) => id),
      });
    } catch (error) {
      onError(error);
    }
  }
}
