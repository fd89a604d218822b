import { type Request, type RetryQueue, type Turn, turnOf } from '../../src/retry/retry-queue';
import type { Held } from '../../src/retry/stored-deliveries';
import type { MemoryStore } from './redis';

const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5_000;
const LINE_UP_AT_ONCE = 200;
const MOST_LINES = 100;

/** What a worker has of BullMQ, over the model's Redis: fetching, locks, and the check for stalled jobs. */
export class MemoryQueue implements Pick<RetryQueue, 'next' | 'extend' | 'close'> {
  private tokens = 0;
  private checks: NodeJS.Timeout | undefined;

  constructor(
    private readonly name: string,
    private readonly store: Pick<MemoryStore, 'call'>,
  ) {}

  async next({ wishes, putOff, bytes }: Request): Promise<Turn> {
    this.checks ??= setInterval(() => void this.recover(), STALLED_CHECK_MS);
    const limits = [LINE_UP_AT_ONCE, bytes, LOCK_MS, this.name, this.tokens, MOST_LINES, wishes.size];
    for (const count of wishes.values()) this.tokens += count;
    return turnOf(
      await this.store.call('relayNext', ...limits, ...[...wishes].flat(), ...[...putOff].flat()),
    );
  }

  async extend(held: readonly Held[]): Promise<readonly Held[]> {
    const pairs = held.flatMap(({ id, token }) => [id, token]);
    const lost = new Set((await this.store.call('relayHold', LOCK_MS, ...pairs)) as string[]);
    return held.filter(({ id }) => lost.has(id));
  }

  async close(): Promise<void> {
    clearInterval(this.checks);
  }

  /** Where Redis does not answer, the next check finds what this one did not. */
  private async recover(): Promise<void> {
    await this.store.call('relayRecover', STALLED_CHECK_MS - 500).catch(() => {});
  }
}
