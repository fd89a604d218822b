import type { DeadLetters } from '../dead-letters/dead-letters';
import type { Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import type { RetryStore } from '../retry/retry-store';

export interface DeadLetterExpiryParts {
  readonly store: RetryStore;
  readonly deadLetters: DeadLetters;
  readonly maxAgeMs: number;
  readonly maxCount: number;
  readonly log: Logger;
}

const INTERVAL_MS = 60_000;

/** Removes dead letters that are too old or too many, once a minute. */
export class DeadLetterExpiry {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: DeadLetterExpiryParts) {}

  start(): void {
    this.timer ??= setInterval(() => void this.expire(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async expire(): Promise<void> {
    const { store, deadLetters, maxAgeMs, maxCount, log } = this.parts;
    if (!store.isReady) return;
    try {
      const expired = await deadLetters.expire(maxAgeMs, maxCount);
      if (expired > 0) log.info('dead letters expired', { expired });
    } catch (error) {
      log.warn('dead letters could not be expired', describeError(error));
    }
  }
}
