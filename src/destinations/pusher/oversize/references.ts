import type { Config } from '../../../config/config';
import type { RedisClient } from '../../../redis/scripts';
import { ReferenceStore } from '../../../references/reference-store';
import { pusherConfig } from '../pusher-config';
import type { OversizeHandler } from '../pusher-destination';
import { oversizeHandler } from './stub';

export function referenceStore(config: Config, client: RedisClient): ReferenceStore {
  const { ttlSeconds, maxBytes } = config.references;
  return new ReferenceStore({ redis: client, prefix: config.redis.prefix, ttlSeconds, maxBytes });
}

/** Keeps what is too large for Pusher behind links, where the configuration says so. */
export function oversizeHandlerFor(config: Config, client: RedisClient): OversizeHandler | undefined {
  const { oversize } = pusherConfig.of(config);
  const { baseUrl } = config.references;
  if (oversize !== 'reference' || baseUrl === undefined) return undefined;
  const store = referenceStore(config, client);
  return oversizeHandler(({ id }, body) => store.keep(id, body, { baseUrl, path: 'events' }));
}
