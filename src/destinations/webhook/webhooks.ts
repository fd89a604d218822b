import type { Config } from '../../config/config';
import { type DestinationId, destinationKey } from '../../pipeline/delivery';
import type { Subscription } from '../../pipeline/route';
import { filterOf } from '../../settings/document';
import type { Settings } from '../../settings/section';
import { addressFingerprint } from '../address-fingerprint';
import { globalId, instanceId } from '../destination-ids';
import type { DestinationFamily } from '../directory';
import { OriginClients } from '../http/origin-clients';
import { limitsOf } from '../limits-of';
import { sharesOf } from '../shares-of';
import { webhookConfig } from './webhook-config';
import { WebhookDestination, type WebhookOptions } from './webhook-destination';
import { type WebhookSettings, webhookSection } from './webhook-section';

/** The global webhook, and the webhooks of instances. */
export class Webhooks implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly options: WebhookOptions;
  private readonly clients: OriginClients;

  constructor(private readonly config: Config) {
    const { legacyPaths, rejectedStatuses } = webhookConfig.of(config);
    this.options = { stripApikey: config.outgoing.stripApikey, legacyPaths, rejectedStatuses };
    this.clients = new OriginClients(config);
    this.globals = this.globalSubscriptions();
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
      this.clients.toOrigin(origin),
    );
  }

  close(): Promise<void> {
    return this.clients.close();
  }

  private globalSubscriptions(): Subscription[] {
    const { config, options, clients } = this;
    const { global: webhook } = webhookConfig.of(config);
    if (webhook === undefined) return [];
    const { origin, pathname, search } = new URL(webhook.url);
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
        address: addressFingerprint([origin, pathname, search]),
      },
      options,
      clients.toGlobal(origin),
    );
    return [{ destination, key: destinationKey(destination.id), events: webhook.events }];
  }
}
