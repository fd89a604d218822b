import { LRUCache } from 'lru-cache';
import type { Fields, Logger } from '../../observability/logging';

const QUIET_MS = 30_000;
const MAX_KEYS = 100;

/** One line about each trouble in half a minute: thousands of queues that fail alike are no thousand lines. */
export class Warnings {
  private readonly quiet = new LRUCache<string, true>({ max: MAX_KEYS, ttl: QUIET_MS });

  constructor(private readonly log: Logger) {}

  warn(key: string, message: string, fields: Fields): void {
    if (this.quiet.has(key)) return;
    this.quiet.set(key, true);
    this.log.warn(message, fields);
  }
}
