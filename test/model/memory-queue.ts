import type { DeliveryId } from '../../src/pipeline/delivery';
import { readJob } from '../../src/retry/job';
import type { Fetched, Outlook, RetryQueue, Room } from '../../src/retry/retry-queue';
import type { Held } from '../../src/retry/stored-deliveries';
import type { MemoryStore } from './redis';

const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5_000;

type RawJob = readonly [id: string, data: string, attempts: string, spent: string, timesTaken: string];

/** What a worker has of BullMQ, over the model's Redis: fetching, locks, and the check for stalled jobs. */
export class MemoryQueue implements Pick<RetryQueue, 'outlook' | 'fetch' | 'extend' | 'close'> {
  private fetches = 0;
  private checks: NodeJS.Timeout | undefined;

  constructor(
    private readonly name: string,
    private readonly store: Pick<MemoryStore, 'call'>,
  ) {}

  async outlook(room: Room): Promise<Outlook> {
    this.checks ??= setInterval(() => void this.recover(), STALLED_CHECK_MS);
    const reply = await this.store.call('relayNext', room.deliveries, room.bytes);
    const [nextInMs, fit, missing] = reply as [number, number, readonly string[]];
    return { fit, missing, nextInMs: nextInMs < 0 ? undefined : nextInMs };
  }

  async fetch(): Promise<Fetched | undefined> {
    const token = `${this.name}:${this.fetches++}`;
    const reply = await this.store.call('relayTake', token, LOCK_MS);
    const [id, data, attempts, spent, timesTaken] = reply as RawJob;
    if (id === undefined) return undefined;
    const held = { id: id as DeliveryId, token };
    const record = readJob(data);
    if (record.kind !== 'job') return { kind: 'odd', record: { ...held, problem: record.kind } };
    const before = spent === '' ? record.data.n : Number(spent);
    const counts = { spent: before + Number(attempts), timesTaken: Number(timesTaken) };
    return { kind: 'due', delivery: { ...held, data: record.data, parkedAt: 0, ...counts } };
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
