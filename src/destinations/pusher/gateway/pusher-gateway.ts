import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import { outgoingClient } from '../../../network/outgoing';
import { ReferenceReader } from '../../../references/reference-reader';
import type { DestinationRoutes, RoutesContext } from '../../module';
import {
  type AppName,
  appName,
  MAX_CHANNELS,
  type OccupancyChange,
  OccupancyStore,
} from '../occupancy/occupancy-store';
import { type PusherConfig, pusherConfig } from '../pusher-config';
import { isOwnChannel } from '../pusher-names';
import { pusherSection } from '../pusher-section';
import type { AppCredentials } from '../signer';
import { AppAuthorizer, type PusherWebhook } from '../subscription-auth';
import { type KnownApp, MAX_AGE_MS, PusherAppIndex } from './app-index';
import { AuthHook } from './auth-hook';
import { eventRoutes } from './event-routes';
import { HookLimits } from './hook-limits';
import { pusherAuthRoutes } from './pusher-auth-routes';
import { pusherWebhookRoutes, type WebhookApp } from './pusher-webhook-routes';

const MAX_AUTHORIZERS = 1000;
const HOOK_CONNECTIONS = 50;
/** Webhooks that are remembered, so that one that is sent again is counted once. */
const MAX_SIGNATURES = 10_000;
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
export class PusherGateway implements DestinationRoutes {
  private readonly authorizers = new LRUCache<AppName, AppAuthorizer>({ max: MAX_AUTHORIZERS });
  private readonly pusher: PusherConfig;
  private readonly occupancy: OccupancyStore;
  private readonly index: PusherAppIndex;
  private readonly hook: AuthHook | undefined;
  private readonly signatures = new LRUCache<string, true>({ max: MAX_SIGNATURES });
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly context: RoutesContext) {
    const { config, redis } = context;
    this.pusher = pusherConfig.of(config);
    const { global, authHookUrl } = this.pusher;
    this.occupancy = new OccupancyStore(redis, config.redis.prefix);
    this.index = new PusherAppIndex({
      global: global?.app,
      allSettings: () => context.allSettings(),
      onRead: (apps) => this.forgetOthers(apps),
    });
    if (authHookUrl !== undefined) {
      const client = outgoingClient(config.outgoing, new URL(authHookUrl).origin, HOOK_CONNECTIONS);
      this.hook = new AuthHook(authHookUrl, client);
    }
  }

  add(server: FastifyInstance): void {
    const { config, redis, keys } = this.context;
    eventRoutes(server, new ReferenceReader({ redis, prefix: config.redis.prefix }));
    if (!this.pusher.enabled) return;
    pusherAuthRoutes(server, {
      keys,
      channelPrefix: this.pusher.channelPrefix,
      hook: this.hook,
      hookLimits: new HookLimits(),
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
        return apps.flatMap((app) => this.webhookAppsOf(app, key));
      },
      take: (app, webhook, signature) => this.take(app, webhook, signature),
    });
  }

  /** Settings changed: what is known of the channels of an app that nobody has any more is forgotten soon. */
  settingsChanged(): void {
    if (!this.keepsOccupancy) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.index.refresh().catch((error: unknown) => this.context.onError(error));
    }, MAX_AGE_MS + 1);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.hook?.close();
  }

  /** The instance's own app before the global one. */
  private async appsOfInstance(instance: string | undefined): Promise<AppCredentials[]> {
    const { instances } = this.context;
    const own = instance === undefined ? undefined : pusherSection.of(await instances.find(instance));
    const global = this.pusher.global?.app;
    return [...(own?.enabled === true ? [own] : []), ...(global === undefined ? [] : [global])];
  }

  /** By the tokens with this key: the app's own, and of the global app those that may sign its webhooks, too. */
  private webhookAppsOf(app: KnownApp, key: string): WebhookApp[] {
    const { credentials, instances } = app;
    const others = instances === undefined ? (this.pusher.global?.webhookTokens ?? []) : [];
    return [credentials, ...others]
      .filter((token) => token.key === key)
      .map((token) => ({ app, authorizer: this.authorizer({ ...credentials, ...token }) }));
  }

  private authorizer({ appId, key, secret }: AppCredentials): AppAuthorizer {
    const app = { appId, key, secret };
    const name = appName(app);
    let authorizer = this.authorizers.get(name);
    if (authorizer === undefined) {
      authorizer = new AppAuthorizer(app, this.pusher.masterKey);
      this.authorizers.set(name, authorizer);
    }
    return authorizer;
  }

  /** Where nobody asks which channels are occupied, nothing of it is kept. */
  private get keepsOccupancy(): boolean {
    return this.pusher.skipVacant;
  }

  private async take(app: KnownApp, webhook: PusherWebhook, signature: string): Promise<void> {
    if (this.keepsOccupancy) await this.note(app, webhook);
    if (this.signatures.has(signature)) return;
    this.signatures.set(signature, true);
    for (const { name } of webhook.events) {
      this.context.metrics.pusherWebhooks.add(TOLD_BY_WEBHOOKS.has(name) ? name : 'other');
    }
  }

  /** What is noted twice changes nothing: it has its time. */
  private async note({ credentials, instances }: KnownApp, { timeMs, events }: PusherWebhook): Promise<void> {
    const { channelPrefix } = this.pusher;
    const name = appName(credentials);
    const max = instances === undefined ? MAX_CHANNELS.global : MAX_CHANNELS.own;
    for (const { name: event, channel } of events) {
      const change = CHANGES.get(event);
      if (change === undefined || !isOwnChannel(channel, channelPrefix, instances)) continue;
      await this.occupancy.apply(name, change, channel, timeMs, max);
    }
  }

  private forgetOthers(apps: readonly KnownApp[]): void {
    if (!this.keepsOccupancy) return;
    const names = new Set(apps.map(({ credentials }) => appName(credentials)));
    this.occupancy.retain(names).catch((error: unknown) => this.context.onError(error));
  }
}

const CHANGES: ReadonlyMap<string, OccupancyChange> = new Map([
  ['channel_occupied', 'occupied'],
  ['channel_vacated', 'vacated'],
]);
