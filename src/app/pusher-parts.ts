import type { Config } from '../config/config';
import type { Logger } from '../observability/logging';
import { OccupancyStore } from '../occupancy/store';
import { OccupancyView } from '../occupancy/view';
import type { RedisClient } from '../retry/scripts';
import type { PusherParts } from './pushers';
import { keepReferences } from './references';
import { describeError, throttled } from './report';

export interface PusherPartsOptions {
  readonly config: Config;
  readonly redis: RedisClient;
  /** Only listens. */
  readonly subscriber: RedisClient;
  readonly log: Logger;
}

/** What Pusher's destinations need of Redis, as far as the configuration asks for it. */
export function createPusherParts({ config, redis, subscriber, log }: PusherPartsOptions): PusherParts {
  const { enabled, skipVacant, vacantCheckMs } = config.pusher;
  const reference = keepReferences(config, redis);
  if (!enabled || !skipVacant) return reference === undefined ? {} : { reference };
  const occupancy = new OccupancyView({
    store: new OccupancyStore(redis, config.redis.prefix),
    subscriber,
    checkMs: vacantCheckMs,
    onError: throttled((error) =>
      log.warn('occupied channels are not known: everything is sent', describeError(error)),
    ),
  });
  return reference === undefined ? { occupancy } : { reference, occupancy };
}
