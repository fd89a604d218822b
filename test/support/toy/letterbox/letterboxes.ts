import type { Pool } from 'undici';
import type { Config } from '../../../../src/config/config';
import { globalId, instanceId } from '../../../../src/destinations/destination-ids';
import type { DestinationFamily } from '../../../../src/destinations/directory';
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

/** The global letterbox, and those of instances. */
export class Letterboxes implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly clients: Pool[] = [];
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
    await Promise.all(this.clients.map((client) => client.destroy()));
  }

  private subscription(
    id: DestinationId,
    url: string,
    password: string | undefined,
    guard?: AddressGuard,
  ): Omit<Subscription, 'events'> {
    const { timeoutMs } = letterboxConfig.of(this.config);
    const client = outgoingClient(this.config.outgoing, new URL(url).origin, MAX_CONNECTIONS, guard);
    this.clients.push(client);
    const destination = new LetterboxDestination({ id, url, password, timeoutMs }, client);
    return { destination, key: destinationKey(id) };
  }
}
