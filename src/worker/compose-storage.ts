import { randomBytes } from 'node:crypto';
import { instanceOf } from '../destinations/destination-ids';
import { Ledger } from '../ledger/ledger';
import type { Lifecycle } from '../lifecycle/lifecycle';
import { describeError, throttled } from '../observability/report';
import type { Decide } from '../pipeline/parking';
import { RedisConnections } from '../redis/connections';
import { RedisHealth } from '../redis/redis-health';
import { BullMqParking } from '../retry/bullmq-parking';
import { GroupCommit } from '../retry/group-commit';
import { LaneParking } from '../retry/lane-parking';
import { Superseding } from '../retry/needless';
import { decide } from '../retry/policy';
import { RetryStore } from '../retry/retry-store';
import { Shares } from '../retry/shares';
import { StoredDeliveries } from '../retry/stored-deliveries';
import { openSettingsStore } from '../settings/open-store';
import type { SettingsStore } from '../settings/settings-store';
import type { Observer } from './observer';
import type { WorkerOptions } from './worker-options';

/** Redis, and everything that is stored there. */
export interface Storage {
  readonly redis: RedisConnections;
  readonly health: RedisHealth;
  readonly store: RetryStore;
  readonly commit: GroupCommit;
  readonly ledger: Ledger;
  readonly deliveries: StoredDeliveries;
  readonly parking: BullMqParking;
  readonly laneParking: LaneParking;
  readonly settingsStore: SettingsStore;
  readonly decide: Decide;
  /** The name under which this process says that it is there. */
  readonly worker: string;
  readonly warnRedis: (error: unknown) => void;
}

export interface StorageContext {
  readonly options: WorkerOptions;
  readonly observer: Observer;
  /** Redis is not the one that it was. */
  readonly onStoreLost: () => void;
  readonly lifecycle: Lifecycle;
}

export function composeStorage({ options, observer, onStoreLost, lifecycle }: StorageContext): Storage {
  const { config, log } = options;
  const warnRedis = throttled((error) => log.warn('redis unavailable', describeError(error)));
  const redis = new RedisConnections({ config: config.redis, onError: warnRedis });
  lifecycle.add('redis', redis, (connections) => connections.close());
  const settingsStore = openSettingsStore(options.modules.sections, config, redis.commands);
  const health: RedisHealth = new RedisHealth({
    redis: redis.commands,
    prefix: config.redis.prefix,
    log,
    counts: async () => ({ ...(await store.counts()), settings: await settingsStore.count() }),
    onStoreLost,
    onStoreNewer: () => {
      // What is under way goes back to the brokers, as nothing of it can be stored any more.
      redis.close();
      options.onUnusable?.();
    },
  });
  lifecycle.add('redis health', health, (each) => each.stop());
  const store = new RetryStore({
    redis: redis.commands,
    prefix: config.redis.prefix,
    replicas: config.redis.waitReplicas,
    onError: warnRedis,
    deadLetterShare: config.retry.deadLetterShare,
  });
  lifecycle.add('retry queue', store, (queue) => queue.close());
  const commit = new GroupCommit(store, warnRedis);
  const decideNext: Decide = ({ destination }, record) =>
    decide(config.retry, destination.maxAttempts, record, Math.random());
  const worker = randomBytes(9).toString('base64url');
  const deliveries = new StoredDeliveries({ store, commit, worker });
  const shares = new Shares({ limits: config.retry.parkedMaxBytes, instanceOf });
  const superseding = new Superseding({
    store,
    onSuperseded: (newer) => observer.superseded(newer),
    onError: warnRedis,
  });
  lifecycle.add('superseding', superseding, (each) => each.close());
  const parking = new BullMqParking({ deliveries, shares, decide: decideNext, observer, superseding });
  const laneParking = new LaneParking({ store, deliveries, shares, observer, onError: warnRedis });
  const ledger = new Ledger(store, commit);
  return {
    ...{ redis, health, store, commit, ledger, deliveries, parking, laneParking },
    ...{ settingsStore, decide: decideNext, worker, warnRedis },
  };
}
