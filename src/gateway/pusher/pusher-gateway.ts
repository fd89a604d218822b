import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Config } from '../../config/config';
import { type AppName, appName, OccupancyStore } from '../../destinations/pusher/occupancy/occupancy-store';
import { referenceStore } from '../../destinations/pusher/oversize/references';
import type { AppCredentials } from '../../destinations/pusher/signer';
import { AppAuthorizer, type PusherWebhook } from '../../destinations/pusher/subscription-auth';
import { outgoingClient } from '../../network/outgoing';
import type { Metrics } from '../../observability/metrics';
import type { RedisClient } from '../../redis/scripts';
import type { Settings } from '../../settings/schema';
import type { Keys } from '../keys';
import { eventRoutes } from '../routes/event-routes';
import { PusherAppIndex } from './app-index';
import { AuthHook } from './auth-hook';
import { pusherAuthRoutes } from './pusher-auth-routes';
import { pusherWebhookRoutes, type WebhookApp } from './pusher-webhook-routes';

export interface PusherGatewayParts {
  readonly config: Config;
  readonly redis: RedisClient;
  readonly metrics: Metrics;
  readonly settingsOf: (instance: string) => Promise<Settings | undefined>;
  /** Settings of all instances, of Redis and of the file. */
  readonly allSettings: () => AsyncIterable<Settings>;
}

const MAX_AUTHORIZERS = 1000;
const HOOK_CONNECTIONS = 50;
const TOLD_BY_WEBHOOKS: ReadonlySet<string> = new Set([
  'channel_occupied',
  'channel_vacated',
  'member_added',
  'member_removed',
  'client_event',
  'cache_miss',
  'subscription_count',
]);

/** What the gateway does for Pusher: signs subscriptions, takes webhooks, serves events behind links. */
export class PusherGateway {
  private readonly authorizers = new LRUCache<AppName, AppAuthorizer>({ max: MAX_AUTHORIZERS });
  private readonly occupancy: OccupancyStore;
  private readonly index: PusherAppIndex;
  private readonly hook: AuthHook | undefined;

  constructor(private readonly parts: PusherGatewayParts) {
    const { config, redis } = parts;
    const { global, authHookUrl } = config.pusher;
    this.occupancy = new OccupancyStore(redis, config.redis.prefix);
    this.index = new PusherAppIndex(global?.app, parts.allSettings);
    if (authHookUrl !== undefined) {
      const client = outgoingClient(config, new URL(authHookUrl).origin, HOOK_CONNECTIONS);
      this.hook = new AuthHook(authHookUrl, client);
    }
  }

  addRoutes(server: FastifyInstance, keys: Keys): void {
    const { config, redis } = this.parts;
    eventRoutes(server, referenceStore(config, redis));
    if (!config.pusher.enabled) return;
    pusherAuthRoutes(server, {
      keys,
      channelPrefix: config.pusher.channelPrefix,
      hook: this.hook,
      originRules: { origins: config.gateway.cors.origins, publicUrl: config.gateway.publicUrl },
      authorizerOf: async (instance, appKey) => {
        const apps = await this.appsOfInstance(instance);
        const app = appKey === undefined ? apps[0] : apps.find(({ key }) => key === appKey);
        return app && this.authorizer(app);
      },
    });
    pusherWebhookRoutes(server, {
      appsOf: async (appId, key) => {
        const apps = await this.index.appsOf(appId);
        return apps.filter((app) => app.key === key).map((app) => this.webhookApp(app));
      },
      take: (app, webhook, signature) => this.take(app, webhook, signature),
    });
  }

  async close(): Promise<void> {
    await this.hook?.close();
  }

  /** The instance's own app before the global one. */
  private async appsOfInstance(instance: string | undefined): Promise<AppCredentials[]> {
    const { config, settingsOf } = this.parts;
    const own = instance === undefined ? undefined : (await settingsOf(instance))?.pusher;
    const global = config.pusher.global?.app;
    return [...(own?.enabled === true ? [own] : []), ...(global === undefined ? [] : [global])];
  }

  private webhookApp(app: AppCredentials): WebhookApp {
    return { name: appName(app), authorizer: this.authorizer(app) };
  }

  private authorizer({ appId, key, secret }: AppCredentials): AppAuthorizer {
    const app = { appId, key, secret };
    const name = appName(app);
    let authorizer = this.authorizers.get(name);
    if (authorizer === undefined) {
      authorizer = new AppAuthorizer(app, this.parts.config.pusher.masterKey);
      this.authorizers.set(name, authorizer);
    }
    return authorizer;
  }

  private async take(app: AppName, { timeMs, events }: PusherWebhook, signature: string): Promise<void> {
    if (!(await this.occupancy.isNew(signature))) return;
    try {
      for (const { name, channel } of events) {
        if (name === 'channel_occupied') await this.occupancy.apply(app, 'occupied', channel, timeMs);
        if (name === 'channel_vacated') await this.occupancy.apply(app, 'vacated', channel, timeMs);
      }
    } catch (error) {
      await this.occupancy.forget(signature);
      throw error;
    }
    for (const { name } of events) {
      this.parts.metrics.pusherWebhooks.add(TOLD_BY_WEBHOOKS.has(name) ? name : 'other');
    }
  }
}
