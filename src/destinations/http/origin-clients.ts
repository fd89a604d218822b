import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { Config } from '../../config/config';
import { AddressGuard } from '../../network/address-guard';
import { outgoingClient } from '../../network/outgoing';

/** Origins of instances whose connections are kept. */
const MAX_ORIGINS = 10_000;

/** The connections of one kind of destination: settings change, connections stay. */
export class OriginClients {
  private readonly guard: AddressGuard;
  private readonly clients = new LRUCache<string, Pool>({ max: MAX_ORIGINS });
  private readonly globals: Pool[] = [];

  constructor(private readonly config: Config) {
    this.guard = new AddressGuard(config.outgoing.allowedNetworks);
  }

  /**
   * To an origin that an instance chose, which only leads where `WEBHOOK_ALLOWED_NETWORKS` lets it. Thousands of instances
   * often share one receiver. There are as many connections as attempts in all, so that none waits for another one's; what
   * each may use is its bulkhead's business. `host` is what requests name where it is another one.
   */
  toOrigin(origin: string, host?: string): Pool {
    // TLS asks for the host that the requests name, so connections are shared by those that name the same.
    const key = host === undefined ? origin : `${origin} ${host}`;
    let client = this.clients.get(key);
    if (client === undefined) {
      const { delivery, retry, outgoing } = this.config;
      client = outgoingClient(outgoing, origin, delivery.concurrency + retry.concurrency, this.guard);
      this.clients.set(key, client);
    }
    return client;
  }

  /** To the operator's own: connections of its own, no more than it makes attempts at once, so that none waits for a tenant's. */
  toGlobal(origin: string): Pool {
    const { delivery, outgoing } = this.config;
    const client = outgoingClient(outgoing, origin, delivery.concurrencyPerDestination);
    this.globals.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all([...this.globals, ...this.clients.values()].map((client) => client.destroy()));
  }
}
