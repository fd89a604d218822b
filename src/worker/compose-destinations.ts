import type { Config } from '../config/config';
import { Destinations } from '../destinations/directory';
import type { LidBook } from '../lids/lid-book';
import type { Lifecycle } from '../lifecycle/lifecycle';
import type { DestinationId } from '../pipeline/delivery';
import type { RelayRedis } from '../redis/relay-redis';
import type { Subscriber } from '../redis/subscriber';
import { MediaLinks } from '../references/media-links';
import { ReferenceStore } from '../references/reference-store';
import type { SettingsCache } from '../settings/settings-cache';
import type { Storage } from './compose-storage';
import type { Observer } from './observer';
import { preparingOf } from './preparing';
import type { WorkerOptions } from './worker-options';

export interface DestinationsContext {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly changes: Subscriber;
  readonly settings: SettingsCache;
  readonly observer: Observer;
  readonly lifecycle: Lifecycle;
  readonly onOrdered: (id: DestinationId) => void;
  readonly lids: LidBook;
}

/** Where events can go: what the modules open for this worker. */
export function composeDestinations(parts: DestinationsContext): Destinations {
  const { options, storage, changes, settings, observer, lifecycle, onOrdered, lids } = parts;
  const { modules, config, log } = options;
  const { redis, parking, ledger } = storage;
  const openRedis = (): RelayRedis => redis.open('commands');
  const context = { config, redis: redis.commands, subscriber: changes, openRedis, log };
  const families = modules.destinations.map((module) => module.open(context));
  const destinations = new Destinations({
    families,
    settings,
    parking,
    countFiltered: (deliveries) => {
      ledger.countDiscarded(deliveries);
      for (const delivery of deliveries) observer.filtered(delivery);
    },
    onOrdered,
    preparing: preparingOf(lids, openMediaLinks(config, redis.commands, openRedis)),
    maxShare: config.delivery.maxShare,
  });
  return lifecycle.add('destinations', destinations, (all) => Promise.all([all.stop(), all.close()]));
}

/** Over a connection of its own, as media is large; where there are no links none is opened. */
function openMediaLinks(
  { references, redis: { prefix } }: Config,
  commands: RelayRedis,
  openRedis: () => RelayRedis,
): MediaLinks {
  const { baseUrl, ttlSeconds } = references;
  const redis = baseUrl === undefined ? commands : openRedis();
  const store = new ReferenceStore({ redis, prefix, ...references });
  return new MediaLinks({ store, baseUrl, ttlSeconds });
}
