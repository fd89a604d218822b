import { DeadLetters } from '../dead-letters/dead-letters';
import { DeliveryLog } from '../delivery-log/delivery-log';
import { LogStore } from '../delivery-log/log-store';
import { StoredStates } from '../delivery-log/stored-states';
import type { RelayRedis } from '../redis/relay-redis';
import type { RetryStore } from '../retry/retry-store';
import type { Shares } from '../retry/shares';
import { DeliveryCopies } from './delivery-copies';
import { ReplayRunner } from './replay-runner';
import { type Progress, ReplayStore } from './replay-store';

export interface ReplaysContext {
  readonly store: RetryStore;
  /** A connection that others do not wait behind: what is read of the log is large. */
  readonly redis: RelayRedis;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly shares: Shares;
  readonly onError: (error: unknown) => void;
  readonly onProgress?: (progress: Progress) => void;
}

/** The delivery log and everything that can be replayed, as a gateway or a command uses it. */
export interface Replays {
  readonly log: DeliveryLog;
  readonly deadLetters: DeadLetters;
  readonly store: ReplayStore;
  readonly runner: ReplayRunner;
}

export function openReplays({ store, redis, prefix, shares, ...hooks }: ReplaysContext): Replays {
  const log = new DeliveryLog({ store: new LogStore({ redis, prefix }), states: new StoredStates(store) });
  const deadLetters = new DeadLetters(store);
  const replays = new ReplayStore({ redis, prefix });
  const copies = new DeliveryCopies({ store, shares });
  const runner = new ReplayRunner({ store: replays, log, deadLetters, copies, ...hooks });
  return { log, deadLetters, store: replays, runner };
}
