import type { Pool } from 'undici';
import type { Config } from '../../config/config';
import { urlSuffix } from '../../events/catalogue';
import { type DestinationId, destinationKey } from '../../pipeline/delivery';
import type { Subscription } from '../../pipeline/route';
import type { Settings } from '../../settings/section';
import { wantsOf } from '../destination-fields';
import { globalId, instanceId } from '../destination-ids';
import type { DestinationFamily } from '../directory';
import { OriginClients } from '../http/origin-clients';
import { limitsOf } from '../limits-of';
import { sharesOf } from '../shares-of';
import { hostHeader } from './headers';
import { webhookConfig } from './webhook-config';
import { WebhookDestination, type WebhookOptions, webhookFingerprint } from './webhook-destination';
import { type WebhookSettings, webhookSection } from './webhook-section';

/** The global webhook, and the webhooks of instances. */
export class Webhooks implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly options: WebhookOptions;
  private readonly clients: OriginClients;
  private readonly globalClient: Pool | undefined;

  constructor(private readonly config: Config) {
    const { legacyPaths, rejectedStatuses } = webhookConfig.of(config);
    this.options = { stripApikey: config.outgoing.stripApikey, legacyPaths, rejectedStatuses };
    this.clients = new OriginClients(config);
    this.globalClient = this.openGlobal();
    this.globals = globalSubscriptions(config, this.options, { client: this.globalClient });
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
          ...wantsOf(value),
        };
      });
  }

  /**
   * The global webhook as an instance with a webhook of its own sees it: bodies name that one as their `destination`, enabled
   * or not, as those of the core API do.
   */
  globalsOf(_instance: string, settings: Settings): readonly Subscription[] {
    const url = webhookSection.of(settings)?.url;
    if (url === undefined || url === '') return this.globals;
    return globalSubscriptions(this.config, this.options, {
      client: this.globalClient,
      destinationOf: () => url,
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
        // Not set, what the event holds is sent, as by the core API.
        base64: settings.base64 ?? true,
        headers: settings.headers,
        signingSecrets: settings.secret?.split(',').map((secret) => secret.trim()) ?? [],
        // The operator's limits hold for tenants: they may only ask for less.
        maxAttempts: Math.min(settings.maxAttempts ?? Number.POSITIVE_INFINITY, config.retry.maxAttempts),
        timeoutMs: Math.min(settings.timeoutMs ?? Number.POSITIVE_INFINITY, config.outgoing.timeoutMs),
        shares: sharesOf(id, config.delivery.maxShare, origin),
        limits: limitsOf(settings),
        normalise: settings.normalise,
        ...(instanceId === undefined ? {} : { instanceId }),
      },
      this.options,
      this.clients.toOrigin(origin, hostHeader(settings.headers)),
    );
  }

  close(): Promise<void> {
    return this.clients.close();
  }

  private openGlobal(): Pool | undefined {
    const { global: webhook } = webhookConfig.of(this.config);
    return webhook === undefined ? undefined : this.clients.toGlobal(new URL(webhook.url).origin);
  }
}

interface GlobalParts {
  readonly client: Pool | undefined;
  /** What bodies name as their destination. */
  readonly destinationOf?: (event: string) => string;
}

function globalSubscriptions(config: Config, options: WebhookOptions, parts: GlobalParts): Subscription[] {
  const { global: webhook } = webhookConfig.of(config);
  const { client } = parts;
  if (webhook === undefined || client === undefined) return [];
  // With the suffix even where the events share one address: so the core API names it.
  const named = (event: string): string => `${webhook.url}/${urlSuffix(event, options.legacyPaths)}`;
  const destination = new WebhookDestination(
    {
      id: globalId('webhook'),
      url: webhook.url,
      destinationOf: parts.destinationOf ?? named,
      byEvents: webhook.byEvents,
      // The core API has no such switch for the global webhook: it gets what came.
      base64: true,
      headers: webhook.headers,
      signingSecrets: webhook.signingSecrets,
      maxAttempts: config.retry.maxAttempts,
      timeoutMs: config.outgoing.timeoutMs,
      shares: sharesOf(globalId('webhook'), config.delivery.maxShare),
      limits: webhook.limits,
      normalise: webhook.normalise,
      address: webhookFingerprint(webhook.url),
    },
    options,
    client,
  );
  return [
    { destination, key: destinationKey(destination.id), events: webhook.events, content: webhook.content },
  ];
}
