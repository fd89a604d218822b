import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { Config } from '../../config/config';
import { AddressGuard } from '../../network/address-guard';
import { outgoingClient } from '../../network/outgoing';
import { type DestinationId, destinationKey } from '../../pipeline/delivery';
import type { Subscription } from '../../pipeline/route';
import { filterOf } from '../../settings/document';
import type { Settings } from '../../settings/section';
import { globalId, instanceId } from '../destination-ids';
import type { DestinationFamily } from '../directory';
import { limitsOf } from '../limits-of';
import { sharesOf } from '../shares-of';
import { webhookConfig } from './webhook-config';
import { WebhookDestination, type WebhookOptions, webhookFingerprint } from './webhook-destination';
import { type WebhookSettings, webhookSection } from './webhook-section';

/** Origins whose connections are kept. */
const MAX_ORIGINS = 10_000;

/** The global webhook, and the webhooks of instances. */
export class Webhooks implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly options: WebhookOptions;
  private readonly guard: AddressGuard;
  /** By origin. */
  private readonly clients = new LRUCache<string, Pool>({ max: MAX_ORIGINS });

  constructor(private readonly config: Config) {
    const { legacyPaths, rejectedStatuses } = webhookConfig.of(config);
    this.options = { stripApikey: config.outgoing.stripApikey, legacyPaths, rejectedStatuses };
    this.globals = globalSubscriptions(config, this.options);
    this.guard = new AddressGuard(config.outgoing.allowedNetworks);
  }

  own(instance: string, settings: Settings): Subscription[] {
    return webhookSection
      .all(settings)
      .filter(({ value }) => value.enabled)
      .map(({ slot, value }) => {
        const id = instanceId('webhook', instance, slot.name);
        return {
          destination: this.destination(id, value, settings.instanceId),
          key: destinationKey(id),
          events: filterOf(value.events),
        };
      });
  }

  /** A webhook as it is set, without a look at whether it is enabled. */
  destination(id: DestinationId, settings: WebhookSettings, instanceId?: string): WebhookDestination {
    const { config } = this;
    const { origin } = new URL(settings.url);
    return new WebhookDestination(
      {
        id,
        url: settings.url,
        byEvents: settings.byEvents,
        base64: settings.base64,
        headers: settings.headers,
        signingSecrets: settings.secret?.split(',').map((secret) => secret.trim()) ?? [],
        // The operator's limits hold for tenants: they may only ask for less.
        maxAttempts: Math.min(settings.maxAttempts ?? Number.POSITIVE_INFINITY, config.retry.maxAttempts),
        timeoutMs: Math.min(settings.timeoutMs ?? Number.POSITIVE_INFINITY, config.outgoing.timeoutMs),
        shares: sharesOf(id, config.delivery.maxShare, origin),
        limits: limitsOf(settings),
        ...(instanceId === undefined ? {} : { instanceId }),
      },
      this.options,
      this.clientFor(origin),
    );
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.globals.map(({ destination }) => destination.close()),
      ...[...this.clients.values()].map((client) => client.destroy()),
    ]);
  }

  /**
   * Thousands of instances often share one receiver. There are as many connections as attempts in all, so that none
   * waits for another one's; what each may use is its bulkhead's business.
   */
  private clientFor(origin: string): Pool {
    let client = this.clients.get(origin);
    if (client === undefined) {
      const { config, guard } = this;
      const connections = config.delivery.concurrency + config.retry.concurrency;
      client = outgoingClient(config.outgoing, origin, connections, guard);
      this.clients.set(origin, client);
    }
    return client;
  }
}

function globalSubscriptions(config: Config, options: WebhookOptions): Subscription[] {
  const { global: webhook } = webhookConfig.of(config);
  if (webhook === undefined) return [];
  const { origin } = new URL(webhook.url);
  const destination = new WebhookDestination(
    {
      id: globalId('webhook'),
      url: webhook.url,
      byEvents: webhook.byEvents,
      // The core API has no such switch for the global webhook: it gets what came.
      base64: true,
      headers: webhook.headers,
      signingSecrets: webhook.signingSecrets,
      maxAttempts: config.retry.maxAttempts,
      timeoutMs: config.outgoing.timeoutMs,
      shares: sharesOf(globalId('webhook'), config.delivery.maxShare),
      limits: webhook.limits,
      address: webhookFingerprint(webhook.url),
    },
    options,
    // Connections of its own, no more than it makes attempts at once: none waits for a tenant's.
    outgoingClient(config.outgoing, origin, config.delivery.concurrencyPerDestination),
  );
  return [{ destination, key: destinationKey(destination.id), events: webhook.events }];
}
