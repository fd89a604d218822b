import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { Config } from '../../config/config';
import type { PusherAppConfig } from '../../config/pusher';
import { instanceNameProblem } from '../../config/pusher-names';
import { AddressGuard } from '../../network/address-guard';
import { outgoingClient } from '../../network/outgoing';
import { type DestinationId, destinationKey } from '../../pipeline/delivery';
import type { Subscription } from '../../pipeline/route';
import { filterOf } from '../../settings/document';
import type { PusherSettings, Settings } from '../../settings/schema';
import { addressFingerprint } from '../address-fingerprint';
import { globalId, instanceId } from '../destination-ids';
import type { DestinationFamily } from '../directory';
import { MAX_BATCH } from './batcher';
import { appName, MAX_CHANNELS } from './occupancy/occupancy-store';
import type { OccupancyView } from './occupancy/occupancy-view';
import { originOf } from './pusher-address';
import { PusherApp } from './pusher-app';
import { type Occupancy, PusherDestination, type PusherTarget, type Referrer } from './pusher-destination';

export interface PusherParts {
  readonly reference?: Referrer;
  readonly occupancy?: OccupancyView;
}

/** Apps, and origins, whose connections are kept. */
const MAX_APPS = 10_000;

/** Events that share one request to a destination: limits that are set in requests hold so many times as many. */
export function eventsPerRequest(id: DestinationId): number {
  return id.startsWith('pusher:') ? MAX_BATCH : 1;
}

/** The global Pusher app, and the apps of instances. */
export class Pushers implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly guard: AddressGuard;
  /** By everything that makes an app: instances that name the same one share its requests. */
  private readonly apps = new LRUCache<string, PusherApp>({ max: MAX_APPS });
  /** By origin. */
  private readonly clients = new LRUCache<string, Pool>({ max: MAX_APPS });

  constructor(
    private readonly config: Config,
    private readonly parts: PusherParts = {},
  ) {
    this.guard = new AddressGuard(config.webhook.allowedNetworks);
    const { global } = config.pusher;
    this.globals =
      global === undefined
        ? []
        : [
            this.subscription(
              {
                id: globalId('pusher'),
                appId: global.app.appId,
                address: addressFingerprint([originOf(global.app), global.app.appId]),
              },
              this.globalApp(global.app),
              global.events,
            ),
          ];
  }

  own(instance: string, { pusher }: Settings): Subscription[] {
    if (!this.config.pusher.enabled || pusher?.enabled !== true) return [];
    const id = instanceId('pusher', instance);
    return [this.subscription({ id, appId: pusher.appId }, this.appOf(pusher), filterOf(pusher.events))];
  }

  /** What is wrong with the app that a tenant sets for an instance, as far as the settings themselves show it. */
  problemOf(instance: string, settings: PusherSettings): string | undefined {
    if (!settings.enabled) return undefined;
    const name = instanceNameProblem(instance, this.config.pusher.channelPrefix);
    return name ?? this.guard.checkUrl(originOf(settings))?.replace(/^url/, 'host');
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.globals.map(({ destination }) => destination.close()),
      ...[...this.clients.values()].map((client) => client.destroy()),
    ]);
  }

  private subscription(
    target: Omit<PusherTarget, 'maxAttempts'>,
    app: PusherApp,
    events: Subscription['events'],
  ): Subscription {
    const { id } = target;
    const { pusher, webhook, retry } = this.config;
    const { reference, occupancy } = this.parts;
    const destination = new PusherDestination(
      { ...target, maxAttempts: retry.maxAttempts },
      {
        stripApikey: webhook.stripApikey,
        channelPrefix: pusher.channelPrefix,
        maxEventBytes: pusher.maxEventBytes,
        timeoutMs: pusher.timeoutMs,
        ...(reference === undefined ? {} : { reference }),
        ...(occupancy === undefined ? {} : { occupancy: this.occupancyOf(id, app, occupancy) }),
      },
      app,
    );
    return { destination, key: destinationKey(id), events };
  }

  private occupancyOf(id: DestinationId, app: PusherApp, view: OccupancyView): Occupancy {
    const watched = {
      name: appName(app.credentials),
      ask: (): Promise<string[]> => app.occupiedChannels(this.config.pusher.channelPrefix),
      maxChannels: id === globalId('pusher') ? MAX_CHANNELS.global : MAX_CHANNELS.own,
    };
    return { isVacant: (channel) => view.isVacant(watched, channel) };
  }

  /** Connections of its own: none waits for a tenant's. */
  private globalApp(app: PusherAppConfig): PusherApp {
    const { concurrencyPerDestination } = this.config.delivery;
    return this.createApp(app, outgoingClient(this.config, originOf(app), concurrencyPerDestination));
  }

  private appOf(settings: PusherSettings): PusherApp {
    const origin = originOf(settings);
    const { appId, key, secret } = settings;
    const name = JSON.stringify([origin, appId, key, secret]);
    let app = this.apps.get(name);
    if (app === undefined) {
      app = this.createApp(settings, this.clientFor(origin));
      this.apps.set(name, app);
    }
    return app;
  }

  private createApp({ appId, key, secret }: PusherAppConfig, client: Pool): PusherApp {
    const { pusher, delivery, retry } = this.config;
    return new PusherApp({ appId, key, secret }, client, {
      masterKey: pusher.masterKey,
      lingerMs: pusher.lingerMs,
      timeoutMs: pusher.timeoutMs,
      maxRequests: delivery.concurrencyPerDestination,
      longDelayMs: retry.maxDelayMs,
    });
  }

  private clientFor(origin: string): Pool {
    let client = this.clients.get(origin);
    if (client === undefined) {
      client = outgoingClient(this.config, origin, this.config.delivery.concurrency, this.guard);
      this.clients.set(origin, client);
    }
    return client;
  }
}
