import { type BulkheadPolicy, BulkheadRejectedError, bulkhead } from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { HttpError } from '../../../http-api/http-errors';
import { addressGroup } from '../../../network/client-address';
import { monotonicMs } from '../../../time/monotonic';
import { Pace, type Rate } from '../../../time/pace';

/**
 * Questions of one address (IPv6: of one /64) and of all. Pages behind one address that come back together may ask a few
 * times each; after that they ask one after the other.
 */
const PER_ADDRESS: Rate = { burst: 60, intervalMs: 200 };
const IN_ALL: Rate = { burst: 500, intervalMs: 10 };
/** Questions under way, and those that wait for one to end. */
const ADDRESS_AT_ONCE = { running: 10, waiting: 60 };
const ALL_AT_ONCE = { running: 50, waiting: 500 };
const MAX_ADDRESSES = 10_000;
const RETRY_AFTER_SECONDS = 5;

interface Asker {
  readonly pace: Pace;
  readonly places: BulkheadPolicy;
}

/** Bounds how often the operator's hook is called for clients that show no key. */
export class HookLimits {
  private readonly addresses = new LRUCache<string, Asker>({ max: MAX_ADDRESSES });
  private readonly pace = new Pace(IN_ALL);
  private readonly places = bulkhead(ALL_AT_ONCE.running, ALL_AT_ONCE.waiting);

  constructor(private readonly now: () => number = monotonicMs) {}

  /** @throws HttpError 429 where this address asks too often, 503 where all together do */
  async run<T>(address: string, ask: () => Promise<T>): Promise<T> {
    const asker = this.askerOf(addressGroup(address));
    this.takeTurn(asker);
    return await inPlace(asker.places, tooOften, () => inPlace(this.places, tooMany, ask));
  }

  private takeTurn({ pace }: Asker): void {
    const now = this.now();
    if (pace.waitMs(now) > 0) throw tooOften();
    if (this.pace.waitMs(now) > 0) throw tooMany();
    pace.take(now);
    this.pace.take(now);
  }

  private askerOf(group: string): Asker {
    let asker = this.addresses.get(group);
    if (asker === undefined) {
      const { running, waiting } = ADDRESS_AT_ONCE;
      asker = { pace: new Pace(PER_ADDRESS), places: bulkhead(running, waiting) };
      this.addresses.set(group, asker);
    }
    return asker;
  }
}

async function inPlace<T>(
  places: BulkheadPolicy,
  refusal: () => HttpError,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await places.execute(work);
  } catch (error) {
    throw error instanceof BulkheadRejectedError ? refusal() : error;
  }
}

const tooOften = (): HttpError =>
  new HttpError(
    429,
    ['Too many questions without a key from this address: try again later'],
    RETRY_AFTER_SECONDS,
  );
const tooMany = (): HttpError =>
  new HttpError(503, ['Too many questions without a key: try again later'], RETRY_AFTER_SECONDS);
