import type { Config } from '../../../../src/config/config';
import { addressFingerprint } from '../../../../src/destinations/address-fingerprint';
import { globalId, instanceId } from '../../../../src/destinations/destination-ids';
import type { DestinationFamily } from '../../../../src/destinations/directory';
import { OriginClients } from '../../../../src/destinations/http/origin-clients';
import { sharesOf } from '../../../../src/destinations/shares-of';
import { type DestinationId, destinationKey } from '../../../../src/pipeline/delivery';
import type { Subscription } from '../../../../src/pipeline/route';
import { filterOf } from '../../../../src/settings/document';
import type { Settings } from '../../../../src/settings/section';
import { letterboxConfig } from './letterbox-config';
import { LetterboxDestination } from './letterbox-destination';
import { letterboxSection } from './letterbox-section';

/** The global letterbox, and those of instances. */
export class Letterboxes implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly clients: OriginClients;

  constructor(private readonly config: Config) {
    this.clients = new OriginClients(config);
    const { global } = letterboxConfig.of(config);
    this.globals =
      global === undefined
        ? []
        : [{ ...this.subscription(globalId('letterbox'), global.url, undefined), events: global.events }];
  }

  own(instance: string, settings: Settings): Subscription[] {
    return letterboxSection
      .all(settings)
      .filter(({ value }) => value.enabled)
      .map(({ value: { url, password, events } }) => ({
        ...this.subscription(instanceId('letterbox', instance), url, password),
        events: filterOf(events),
      }));
  }

  close(): Promise<void> {
    return this.clients.close();
  }

  private subscription(
    id: DestinationId,
    url: string,
    password: string | undefined,
  ): Omit<Subscription, 'events'> {
    const { retry, outgoing, delivery } = this.config;
    const { origin, pathname } = new URL(url);
    const isGlobal = id === globalId('letterbox');
    const destination = new LetterboxDestination(
      {
        ...{ id, url, password, maxAttempts: retry.maxAttempts, stripApikey: outgoing.stripApikey },
        timeoutMs: letterboxConfig.of(this.config).timeoutMs,
        shares: sharesOf(id, delivery.maxShare, origin),
        ...(isGlobal ? { address: addressFingerprint([origin, pathname]) } : {}),
      },
      isGlobal ? this.clients.toGlobal(origin) : this.clients.toOrigin(origin),
    );
    return { destination, key: destinationKey(id) };
  }
}
