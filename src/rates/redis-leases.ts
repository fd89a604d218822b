import { randomBytes } from 'node:crypto';
import { StoreUnavailableError } from '../errors';
import { type DestinationId, destinationKey } from '../pipeline/delivery';
import type { Rate } from '../pipeline/destination-limits';
import type { RetryStore } from '../retry/retry-store';
import type { Lease, LeaseRequest, Leasing } from './permit-lease';

/** Parts that a window is counted in; it has one more than its length. */
const SLOTS = 100;

/** Leases permits from Redis, where all workers do. */
export class RedisLeases {
  private readonly worker = randomBytes(6).toString('base64url');

  constructor(private readonly store: Pick<RetryStore, 'run' | 'prefix' | 'isReady'>) {}

  of(id: DestinationId, { count, seconds }: Rate): Leasing {
    const slotMs = (seconds * 1000) / SLOTS;
    // Another length has other parts. Another count goes on with what was used.
    const key = `${this.store.prefix}:rate:${destinationKey(id)}:${seconds}`;
    return async ({ wanted, waitedMs, unused, owed }: LeaseRequest): Promise<Lease> => {
      if (!this.store.isReady) throw new StoreUnavailableError('Redis is away');
      const waited = Math.floor(waitedMs / slotMs);
      const back = unused.flatMap(({ slot, count: some }) => [slot, some]);
      const args = [key, count, slotMs, SLOTS + 1, wanted, waited, this.worker, owed, ...back];
      return leaseOf(await this.store.run('relayLease', args));
    };
  }
}

function leaseOf(reply: unknown): Lease {
  const [free = 0, nextMs = 0, workers = 1, ...leased] = (reply as readonly unknown[]).map(Number);
  const charges = [];
  for (let index = 0; index + 1 < leased.length; index += 2)
    charges.push({ slot: leased[index] ?? 0, count: leased[index + 1] ?? 0 });
  return { charges, free, nextMs, workers: Math.max(1, workers) };
}
