import { Destinations } from '../destinations/directory';
import type { OccupancyView } from '../destinations/pusher/occupancy/occupancy-view';
import { createPusherParts } from '../destinations/pusher/pusher-parts';
import { Pushers } from '../destinations/pusher/pushers';
import { Webhooks } from '../destinations/webhook/webhooks';
import { WebSockets } from '../destinations/websocket/websockets';
import type { Lifecycle } from '../lifecycle/lifecycle';
import type { Subscriber } from '../redis/subscriber';
import type { SettingsCache } from '../settings/settings-cache';
import type { Storage } from './compose-storage';
import type { WorkerOptions } from './worker-options';

export interface DestinationsContext {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly changes: Subscriber;
  readonly settings: SettingsCache;
  readonly lifecycle: Lifecycle;
}

/** Where events can go. */
export function composeDestinations({
  options,
  storage,
  changes,
  settings,
  lifecycle,
}: DestinationsContext): {
  readonly destinations: Destinations;
  readonly occupancy: OccupancyView | undefined;
} {
  const { config, log } = options;
  const { redis, parking } = storage;
  const pusherParts = createPusherParts({ config, redis: redis.commands, subscriber: changes, log });
  const { occupancy } = pusherParts;
  if (occupancy !== undefined) lifecycle.add('occupied channels', occupancy, (view) => view.stop());
  // What WebSocket clients receive is large: nothing else waits behind it.
  const streams = redis.open('commands');
  const families = [new Webhooks(config), new Pushers(config, pusherParts), new WebSockets(config, streams)];
  const destinations = new Destinations({ families, settings, parking });
  lifecycle.add('destinations', destinations, (all) => all.close());
  return { destinations, occupancy };
}
