import type { Config } from '../../../config/config';
import type { RedisClient } from '../../../redis/scripts';
import type { Referrer } from '../pusher-destination';
import { ReferenceStore } from './oversize-store';
import { referrer } from './stub';

export function referenceStore({ redis, pusher }: Config, client: RedisClient): ReferenceStore {
  const { ttlSeconds, maxBytes } = pusher.reference;
  return new ReferenceStore({ redis: client, prefix: redis.prefix, ttlSeconds, maxBytes });
}

/** Keeps what is too large for Pusher behind links, where the configuration says so. */
export function keepReferences(config: Config, client: RedisClient): Referrer | undefined {
  const { oversize, reference } = config.pusher;
  const { baseUrl } = reference;
  if (oversize !== 'reference' || baseUrl === undefined) return undefined;
  const store = referenceStore(config, client);
  return referrer(({ id }, body) => store.keep(id, body, baseUrl));
}
