import type { Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import { monotonicMs } from '../time/monotonic';
import type { SettingsUnreadableError } from './settings-errors';

/** A wrong key makes all instances unreadable at once: this many are named within one period, the others are counted. */
const MAX_LINES = 20;
const PERIOD_MS = 60_000;

/** Logs once that an instance's settings cannot be read, until they can or the reason is another one. */
export class UnreadableLog {
  private lines = 0;
  private left = 0;
  private since = monotonicMs();

  constructor(private readonly log: Logger) {}

  unreadable(error: SettingsUnreadableError): void {
    if (!this.hasLine()) return;
    const { instance, reason, cause } = error;
    this.log.error('settings of an instance cannot be read: its events wait', {
      instance,
      ...describeError(cause),
      error: reason,
    });
  }

  readable(instance: string): void {
    if (this.hasLine()) this.log.info('settings of an instance can be read again', { instance });
  }

  private hasLine(): boolean {
    const now = monotonicMs();
    if (now - this.since > PERIOD_MS) {
      if (this.left > 0) this.log.warn('settings of further instances', { changed: this.left });
      this.since = now;
      this.lines = 0;
      this.left = 0;
    }
    if (this.lines < MAX_LINES) this.lines++;
    else this.left++;
    return this.left === 0;
  }
}
