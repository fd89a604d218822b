import { describeError, throttled } from '../../observability/report';
import type { DestinationContext } from '../module';
import { OccupancyStore } from './occupancy/occupancy-store';
import { OccupancyView } from './occupancy/occupancy-view';
import { oversizeHandlerFor } from './oversize/references';
import { pusherConfig } from './pusher-config';
import type { PusherParts } from './pushers';

/** What Pusher's destinations need of Redis, as far as the configuration asks for it. */
export function createPusherParts({
  config,
  redis,
  subscriber,
  openRedis,
  log,
}: DestinationContext): PusherParts {
  const { enabled, skipVacant, vacantCheckMs } = pusherConfig.of(config);
  const oversize = oversizeHandlerFor(config, openRedis);
  if (!enabled || !skipVacant) return oversize === undefined ? {} : { oversize };
  const occupancy = new OccupancyView({
    store: new OccupancyStore(redis, config.redis.prefix),
    subscriber,
    checkMs: vacantCheckMs,
    onError: throttled((error) =>
      log.warn('occupied channels are not known: everything is sent', describeError(error)),
    ),
  });
  return oversize === undefined ? { occupancy } : { oversize, occupancy };
}
