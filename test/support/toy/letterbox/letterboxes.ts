import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { Config } from '../../../../src/config/config';
import { addressFingerprint } from '../../../../src/destinations/address-fingerprint';
import { globalId, instanceId } from '../../../../src/destinations/destination-ids';
import type { DestinationFamily } from '../../../../src/destinations/directory';
import { sharesOf } from '../../../../src/destinations/shares-of';
import { AddressGuard } from '../../../../src/network/address-guard';
import { outgoingClient } from '../../../../src/network/outgoing';
import { type DestinationId, destinationKey } from '../../../../src/pipeline/delivery';
import type { Subscription } from '../../../../src/pipeline/route';
import { filterOf } from '../../../../src/settings/document';
import type { Settings } from '../../../../src/settings/section';
import { letterboxConfig } from './letterbox-config';
import { LetterboxDestination } from './letterbox-destination';
import { letterboxSection } from './letterbox-section';

export const MAX_CONNECTIONS = 4;
const MAX_ORIGINS = 1000;

/** The global letterbox, and those of instances. */
export class Letterboxes implements DestinationFamily {
  readonly globals: readonly Subscription[];
  /** By origin: settings change, connections stay. */
  private readonly clients = new LRUCache<string, Pool>({ max: MAX_ORIGINS });
  private readonly guard: AddressGuard;

  constructor(private readonly config: Config) {
    this.guard = new AddressGuard(config.outgoing.allowedNetworks);
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
        ...this.subscription(instanceId('letterbox', instance), url, password, this.guard),
        events: filterOf(events),
      }));
  }

  async close(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.destroy()));
  }

  private subscription(
    id: DestinationId,
    url: string,
    password: string | undefined,
    guard?: AddressGuard,
  ): Omit<Subscription, 'events'> {
    const { retry, outgoing, delivery } = this.config;
    const { origin, pathname } = new URL(url);
    // The operator's own has connections of its own.
    const isGlobal = guard === undefined;
    const destination = new LetterboxDestination(
      {
        ...{ id, url, password, maxAttempts: retry.maxAttempts, stripApikey: outgoing.stripApikey },
        timeoutMs: letterboxConfig.of(this.config).timeoutMs,
        shares: sharesOf(id, delivery.maxShare, origin),
        ...(isGlobal ? { address: addressFingerprint([origin, pathname]) } : {}),
      },
      this.clientFor(isGlobal ? `global ${origin}` : origin, origin, guard),
    );
    return { destination, key: destinationKey(id) };
  }

  private clientFor(key: string, origin: string, guard: AddressGuard | undefined): Pool {
    let client = this.clients.get(key);
    if (client === undefined) {
      client = outgoingClient(this.config.outgoing, origin, MAX_CONNECTIONS, guard);
      this.clients.set(key, client);
    }
    return client;
  }
}
