import { randomBytes } from 'node:crypto';
import type { DeliveryId } from '../pipeline/delivery';
import { type JobData, readJob } from './job';
import type { StoredCalls } from './retry-store';
import type { Held } from './stored-deliveries';

/** A delivery whose time has come, held by this worker until its lock runs out. */
export interface DueDelivery extends Held {
  readonly data: JobData;
  /** Attempts spent on it. */
  readonly spent: number;
}

/** A record that is due and cannot be delivered: see `readJob`. */
export interface OddRecord extends Held {
  readonly problem: 'newer' | 'unreadable';
}

export interface Taken {
  readonly due: readonly DueDelivery[];
  readonly odd: readonly OddRecord[];
  /** Ids that were due and have no record: somebody removed it. */
  readonly missing: readonly string[];
  /** Milliseconds until more is due; undefined where nothing else is stored. */
  readonly nextInMs: number | undefined;
}

/** How much may be taken. */
export interface Room {
  readonly deliveries: number;
  readonly bytes: number;
}

export interface RetryQueueParts {
  readonly store: Pick<StoredCalls, 'call'>;
  readonly lockMs: number;
}

type RawJob = readonly [id: string, data: string, attempts: string, spent: string];

/**
 * Decides what a worker does next: what is due first. One call of Redis takes several deliveries, so that a slow answer is
 * waited for once, and what came begins before more is asked for.
 */
export class RetryQueue {
  private readonly worker = randomBytes(9).toString('base64url');
  private calls = 0;

  constructor(private readonly parts: RetryQueueParts) {}

  async take(room: Room): Promise<Taken> {
    const token = `${this.worker}:${this.calls++}`;
    const { store, lockMs } = this.parts;
    const reply = await store.call('relayTake', token, lockMs, room.deliveries, room.bytes);
    const [nextInMs, jobs, missing] = reply as [number, readonly RawJob[], readonly string[]];
    const due: DueDelivery[] = [];
    const odd: OddRecord[] = [];
    for (const [name, text, attempts, spent] of jobs) {
      const held = { id: name as DeliveryId, token };
      const record = readJob(text);
      if (record.kind === 'job') {
        const before = spent === '' ? record.data.n : Number(spent);
        due.push({ ...held, data: record.data, spent: before + Number(attempts) });
      } else odd.push({ ...held, problem: record.kind });
    }
    return { due, odd, missing, nextInMs: nextInMs < 0 ? undefined : nextInMs };
  }
}
