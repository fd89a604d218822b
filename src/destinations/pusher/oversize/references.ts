import type { Config } from '../../../config/config';
import type { RedisClient } from '../../../redis/scripts';
import { ReferenceStore } from '../../../references/reference-store';
import { pusherConfig } from '../pusher-config';
import type { OversizeHandler } from '../pusher-destination';
import { oversizeHandler } from './stub';

/** Keeps what is too large for Pusher behind links, where the configuration says so: over a connection of its own, as it is large. */
export function oversizeHandlerFor(
  config: Config,
  openRedis: () => RedisClient,
): OversizeHandler | undefined {
  const { oversize } = pusherConfig.of(config);
  const { baseUrl, ttlSeconds, maxBytes } = config.references;
  if (oversize !== 'reference' || baseUrl === undefined) return undefined;
  const store = new ReferenceStore({ redis: openRedis(), prefix: config.redis.prefix, ttlSeconds, maxBytes });
  return oversizeHandler(({ id, envelope }, body) =>
    store.keep({ id, owner: envelope.instance, body }, { baseUrl, path: 'events' }),
  );
}
