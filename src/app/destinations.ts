import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { Config } from '../config/config';
import { AddressGuard } from '../destinations/webhook/address-guard';
import { createHttpClient } from '../destinations/webhook/client';
import { WebhookDestination } from '../destinations/webhook/destination';
import type { Envelope } from '../events/envelope';
import { type Delivery, type Destination, type DestinationId, destinationKey } from '../pipeline/delivery';
import { route, type Subscription } from '../pipeline/route';
import type { SettingsCache } from '../settings/cache';
import { filterOf } from '../settings/document';
import type { Settings, WebhookSettings } from '../settings/schema';

const GLOBAL_WEBHOOK = 'webhook:global' as DestinationId;
/** Before the percent-encoded name of an instance, and that of a webhook where it has one. */
const INSTANCE_WEBHOOK = 'webhook:instance/';
/** Instances whose destinations are kept ready. */
const MAX_INSTANCES = 10_000;

interface Ready {
  readonly settings: Settings;
  readonly subscriptions: readonly Subscription[];
}

/** Where the events of each instance go: to the global destinations, and to those of its own settings. */
export class Destinations {
  private readonly globals: readonly Subscription[];
  private readonly guard: AddressGuard;
  /** By origin. */
  private readonly clients = new LRUCache<string, Pool>({ max: MAX_INSTANCES });
  /** What falls out needs no closing: idle connections close by themselves. */
  private readonly ready = new LRUCache<string, Ready>({ max: MAX_INSTANCES });

  constructor(
    private readonly config: Config,
    private readonly settings: SettingsCache,
  ) {
    this.globals = globalSubscriptions(config);
    this.guard = new AddressGuard(config.webhook.allowedNetworks);
  }

  /** The deliveries of an event; later where the settings of its instance must be read first. */
  route(envelope: Envelope): Delivery[] | Promise<Delivery[]> {
    const settings = this.settings.of(envelope.instance);
    if (!(settings instanceof Promise))
      return route(envelope, this.subscriptions(envelope.instance, settings));
    return settings.then((read) => route(envelope, this.subscriptions(envelope.instance, read)));
  }

  /** The destination that a parked delivery names; undefined where there is none any more. */
  async find(id: DestinationId): Promise<Destination | undefined> {
    const instance = instanceOf(id);
    const subscriptions =
      instance === undefined ? this.globals : this.subscriptions(instance, await this.settings.of(instance));
    return subscriptions.find(({ destination }) => destination.id === id)?.destination;
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.globals.map(({ destination }) => destination.close()),
      ...[...this.clients.values()].map((client) => client.destroy()),
    ]);
  }

  private subscriptions(instance: string, settings: Settings | undefined): readonly Subscription[] {
    if (settings === undefined) return this.globals;
    const ready = this.ready.get(instance);
    if (ready?.settings === settings) return ready.subscriptions;
    const subscriptions = [...this.globals, ...this.ownSubscriptions(instance, settings)];
    this.ready.set(instance, { settings, subscriptions });
    return subscriptions;
  }

  private ownSubscriptions(instance: string, { webhook, webhooks }: Settings): Subscription[] {
    const named = Object.entries(webhooks).map(
      ([name, settings]) => [webhookId(instance, name), settings] as const,
    );
    const all = webhook === undefined ? named : [[webhookId(instance), webhook] as const, ...named];
    return all
      .filter(([, settings]) => settings.enabled)
      .map(([id, settings]) => ({
        destination: this.webhook(id, settings),
        key: destinationKey(id),
        events: filterOf(settings.events),
      }));
  }

  /**
   * Thousands of instances often share one receiver. There are as many connections as attempts in all, so that none
   * waits for another one's; what each may use is its bulkhead's business.
   */
  private clientFor(origin: string): Pool {
    let client = this.clients.get(origin);
    if (client === undefined) {
      const { config, guard } = this;
      client = createHttpClient(origin, {
        connections: config.delivery.concurrency + config.retry.concurrency,
        connectTimeoutMs: config.webhook.connectTimeoutMs,
        guard,
      });
      this.clients.set(origin, client);
    }
    return client;
  }

  private webhook(id: DestinationId, settings: WebhookSettings): Destination {
    const { config } = this;
    return new WebhookDestination(
      {
        id,
        url: settings.url,
        byEvents: settings.byEvents,
        base64: settings.base64,
        headers: settings.headers,
        signingSecrets: settings.secret?.split(',').map((secret) => secret.trim()) ?? [],
        maxAttempts: settings.maxAttempts ?? config.retry.maxAttempts,
        timeoutMs: settings.timeoutMs ?? config.webhook.timeoutMs,
      },
      config.webhook,
      this.clientFor(new URL(settings.url).origin),
    );
  }
}

/** Reference of an instance's webhook; without a name it is the one that the core API knows. */
export function webhookId(instance: string, name?: string): DestinationId {
  const suffix = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  // By way of UTF-8, as half a surrogate pair cannot be encoded.
  return `${INSTANCE_WEBHOOK}${encodeURIComponent(Buffer.from(instance).toString())}${suffix}` as DestinationId;
}

function instanceOf(id: DestinationId): string | undefined {
  if (!id.startsWith(INSTANCE_WEBHOOK)) return undefined;
  const [instance = ''] = id.slice(INSTANCE_WEBHOOK.length).split('/');
  return decodeURIComponent(instance);
}

function globalSubscriptions(config: Config): Subscription[] {
  const { globalWebhook: webhook } = config;
  if (webhook === undefined) return [];
  const destination = new WebhookDestination(
    {
      id: GLOBAL_WEBHOOK,
      url: webhook.url,
      byEvents: webhook.byEvents,
      // The core API has no such switch for the global webhook: it gets what came.
      base64: true,
      headers: webhook.headers,
      signingSecrets: webhook.signingSecrets,
      maxAttempts: config.retry.maxAttempts,
      timeoutMs: config.webhook.timeoutMs,
    },
    config.webhook,
    // Connections of its own, no more than it makes attempts at once: none waits for a tenant's.
    createHttpClient(new URL(webhook.url).origin, {
      connections: config.delivery.concurrencyPerDestination,
      connectTimeoutMs: config.webhook.connectTimeoutMs,
    }),
  );
  return [{ destination, key: destinationKey(destination.id), events: webhook.events }];
}
