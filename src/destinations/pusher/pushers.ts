import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { Config } from '../../config/config';
import { AddressGuard } from '../../network/address-guard';
import { outgoingClient } from '../../network/outgoing';
import { type DestinationId, destinationKey, type Endpoint } from '../../pipeline/delivery';
import type { Subscription } from '../../pipeline/route';
import type { Settings } from '../../settings/section';
import { addressFingerprint } from '../address-fingerprint';
import { type Wants, wantsOf } from '../destination-fields';
import { globalId, instanceId } from '../destination-ids';
import type { DestinationFamily } from '../directory';
import { limitsOf } from '../limits-of';
import { sharesOf } from '../shares-of';
import { appName, MAX_CHANNELS } from './occupancy/occupancy-store';
import type { OccupancyView } from './occupancy/occupancy-view';
import { originOf } from './pusher-address';
import { PusherApp } from './pusher-app';
import { type PusherAppConfig, type PusherConfig, pusherConfig } from './pusher-config';
import {
  type Occupancy,
  type OversizeHandler,
  PusherDestination,
  type PusherTarget,
} from './pusher-destination';
import { type PusherSettings, pusherSection } from './pusher-section';

export interface PusherParts {
  readonly oversize?: OversizeHandler;
  readonly occupancy?: OccupancyView;
}

/** Apps, and origins, whose connections are kept. */
const MAX_APPS = 10_000;
/** To one app at once: beyond that events wait for a batch with more of them. */
const MAX_REQUESTS = 64;

/** The global Pusher app, and the apps of instances. */
export class Pushers implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly pusher: PusherConfig;
  private readonly guard: AddressGuard;
  /** By everything that makes an app: instances that name the same one share its requests. */
  private readonly apps = new LRUCache<string, PusherApp>({ max: MAX_APPS });
  /** By origin. */
  private readonly clients = new LRUCache<string, Pool>({ max: MAX_APPS });

  constructor(
    private readonly config: Config,
    private readonly parts: PusherParts = {},
  ) {
    this.guard = new AddressGuard(config.outgoing.allowedNetworks);
    this.pusher = pusherConfig.of(config);
    const { global } = this.pusher;
    this.globals =
      global === undefined
        ? []
        : [
            this.subscription(
              {
                id: globalId('pusher'),
                appId: global.app.appId,
                limits: global.limits,
                normalise: global.normalise,
                endpoint: endpointOf(global.app),
                address: endpointOf(global.app).print,
              },
              this.globalApp(global.app),
              { events: global.events, content: global.content },
            ),
          ];
  }

  own(instance: string, settings: Settings): Subscription[] {
    const pusher = pusherSection.of(settings);
    if (!this.pusher.enabled || pusher?.enabled !== true) return [];
    const id = instanceId('pusher', instance);
    return [
      this.subscription(
        {
          id,
          appId: pusher.appId,
          limits: limitsOf(pusher),
          normalise: pusher.normalise,
          endpoint: endpointOf(pusher),
        },
        this.appOf(pusher),
        wantsOf(pusher),
      ),
    ];
  }

  /** Watches which channels are occupied, where that is asked for. */
  start(): void {
    this.parts.occupancy?.start();
  }

  async stop(): Promise<void> {
    await this.parts.occupancy?.stop();
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.globals.map(({ destination }) => destination.close()),
      ...[...this.clients.values()].map((client) => client.destroy()),
    ]);
  }

  private subscription(
    target: Omit<PusherTarget, 'maxAttempts' | 'shares'>,
    app: PusherApp,
    wants: Wants,
  ): Subscription {
    const { id } = target;
    const { pusher } = this;
    const { outgoing, retry, delivery } = this.config;
    const { oversize, occupancy } = this.parts;
    const destination = new PusherDestination(
      { ...target, maxAttempts: retry.maxAttempts, shares: sharesOf(id, delivery.maxShare) },
      {
        stripApikey: outgoing.stripApikey,
        channelPrefix: pusher.channelPrefix,
        maxEventBytes: pusher.maxEventBytes,
        timeoutMs: pusher.timeoutMs,
        ...(oversize === undefined ? {} : { oversize }),
        ...(occupancy === undefined ? {} : { occupancy: this.occupancyOf(id, app, occupancy) }),
      },
      app,
    );
    return { destination, key: destinationKey(id), ...wants };
  }

  private occupancyOf(id: DestinationId, app: PusherApp, view: OccupancyView): Occupancy {
    const watched = {
      name: appName(app.credentials),
      ask: (): Promise<string[]> => app.occupiedChannels(this.pusher.channelPrefix),
      maxChannels: id === globalId('pusher') ? MAX_CHANNELS.global : MAX_CHANNELS.own,
    };
    return { isVacant: (channel) => view.isVacant(watched, channel) };
  }

  /** Connections of its own: none waits for a tenant's. */
  private globalApp(app: PusherAppConfig): PusherApp {
    const { concurrencyPerDestination } = this.config.delivery;
    return this.createApp(
      app,
      outgoingClient(this.config.outgoing, originOf(app), concurrencyPerDestination),
    );
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
    const { pusher } = this;
    const { delivery, retry } = this.config;
    return new PusherApp({ appId, key, secret }, client, {
      masterKey: pusher.masterKey,
      lingerMs: pusher.lingerMs,
      timeoutMs: pusher.timeoutMs,
      maxRequests: Math.min(MAX_REQUESTS, delivery.concurrencyPerDestination),
      longDelayMs: retry.maxDelayMs,
    });
  }

  private clientFor(origin: string): Pool {
    let client = this.clients.get(origin);
    if (client === undefined) {
      client = outgoingClient(this.config.outgoing, origin, this.config.delivery.concurrency, this.guard);
      this.clients.set(origin, client);
    }
    return client;
  }
}

function endpointOf(app: PusherAppConfig | PusherSettings): Endpoint {
  const origin = originOf(app);
  return { shown: `${origin}/apps/${app.appId}`, print: addressFingerprint([origin, app.appId]) };
}
