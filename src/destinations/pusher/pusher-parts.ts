import type { Config } from '../../config/config';
import type { Logger } from '../../observability/logging';
import { describeError, throttled } from '../../observability/report';
import type { RedisClient } from '../../redis/scripts';
import type { Subscriptions } from '../../redis/subscriber';
import { OccupancyStore } from './occupancy/occupancy-store';
import { OccupancyView } from './occupancy/occupancy-view';
import { keepReferences } from './oversize/references';
import type { PusherParts } from './pushers';

export interface PusherPartsOptions {
  readonly config: Config;
  readonly redis: RedisClient;
  readonly subscriber: Subscriptions;
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
