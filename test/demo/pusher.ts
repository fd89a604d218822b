import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, HOST } from '../support/processes/ports';
import { connectClient } from '../support/pusher/client';
import { PusherServer } from '../support/pusher/server';
import type { Ending } from './ending';
import { INSTANCES } from './events';
import { servePage } from './page';

const APP = { id: '1234567', key: 'demo-key', secret: 'demo-secret' };
const PREFIX = 'private-';
const CHANNELS = INSTANCES.map((instance) => `${PREFIX}${instance}`);
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 20_000;

/** Pusher's test server, with a real client that counts what comes, and a page that shows it. */
export class PusherShow {
  /** Events that came as a link, as they are larger than Pusher takes. */
  links = 0;
  /** Events that came again. */
  repeated = 0;
  pageUrl = '';
  private requests = 0;
  private readonly seen = new Set<string>();

  private constructor(private readonly server: PusherServer) {
    server.remembers = false;
    server.misbehaviour = () => {
      this.requests++;
      return undefined;
    };
  }

  static async start(ending: Ending): Promise<PusherShow> {
    const server = await PusherServer.start([APP], await freePort());
    ending.add("closing Pusher's test server", () => server.stop());
    return new PusherShow(server);
  }

  /** Of the relay. */
  environment(gateway: string): Readonly<Record<string, string>> {
    return {
      PUSHER_GLOBAL_APP_ID: APP.id,
      PUSHER_GLOBAL_KEY: APP.key,
      PUSHER_GLOBAL_SECRET: APP.secret,
      PUSHER_GLOBAL_HOST: HOST,
      PUSHER_GLOBAL_PORT: String(this.server.port),
      PUSHER_GLOBAL_USE_TLS: 'false',
      PUSHER_CHANNEL_PREFIX: PREFIX,
      PUSHER_OVERSIZE: 'reference',
      GATEWAY_URL: gateway,
    };
  }

  /** Subscribes to the channels of all instances; the gateway signs. */
  async open(gateway: string, apikey: string, ending: Ending): Promise<void> {
    const client = connectClient(this.server, APP, {
      channelAuthorization: { transport: 'ajax', endpoint: `${gateway}/pusher/auth`, headers: { apikey } },
    });
    ending.add('closing the Pusher client', async () => client.disconnect());
    client.bind_global((name: string, data: unknown) => {
      if (!name.startsWith('pusher')) this.take(data);
    });
    for (const channel of CHANNELS) client.subscribe(channel);
    await this.until(() => this.server.occupied(APP.id).length === CHANNELS.length, ending.signal);
    const port = await freePort();
    const { key } = APP;
    const page = await servePage(port, { key, port: this.server.port, channels: CHANNELS, gateway, apikey });
    ending.add('closing the page', async () => {
      const closed = once(page, 'close');
      page.close();
      page.closeAllConnections();
      await closed;
    });
    this.pageUrl = `http://${HOST}:${port}`;
  }

  get received(): number {
    return this.seen.size;
  }

  get requestsPerEvent(): number {
    return this.requests / Math.max(1, this.received + this.repeated);
  }

  /** Resolves when `events` have come, or nothing for a long time. */
  async follow(events: number, signal: AbortSignal): Promise<void> {
    await this.until(() => this.received >= events, signal);
  }

  private async until(isReached: () => boolean, signal: AbortSignal): Promise<void> {
    let [seen, seenAt] = [this.received, Date.now()];
    while (!isReached() && Date.now() - seenAt < PATIENCE_MS) {
      await delay(LOOK_EVERY_MS, undefined, { signal });
      if (this.received !== seen) [seen, seenAt] = [this.received, Date.now()];
    }
  }

  private take(data: unknown): void {
    const { reference, ...event } = data as { reference?: { url: string } };
    if (reference !== undefined) this.links++;
    // Links carry the delivery's id, events what the core API published.
    const text = JSON.stringify(reference?.url.split('?')[0] ?? event);
    const key = createHash('sha256').update(text).digest('base64');
    if (this.seen.has(key)) this.repeated++;
    this.seen.add(key);
  }
}
