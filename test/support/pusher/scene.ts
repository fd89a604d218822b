import type PusherClient from 'pusher-js';
import type { Options } from 'pusher-js';
import type { PusherDestination } from '../../../src/destinations/pusher/pusher-destination';
import type { Outcome } from '../../../src/pipeline/delivery';
import { Happenings, within } from '../signals/signals';
import { deliveryTo, eventBody } from '../values/events';
import { connectClient, type SeenEvent, subscribe } from './client';
import { CREDENTIALS, type DestinationOptions, pusherDestination } from './destination';
import type { PusherApp } from './rules';
import { PusherServer } from './server';

const WITHIN_MS = 15_000;

/** One app at a server in this process, a destination that sends to it, and clients that listen. */
export class PusherScene {
  /** The one that was made last. */
  destination: PusherDestination;
  private readonly created: PusherDestination[] = [];
  private readonly clients: PusherClient[] = [];

  private constructor(
    readonly app: PusherApp,
    readonly server: PusherServer,
  ) {
    this.destination = this.create();
  }

  static async open(): Promise<PusherScene> {
    const app: PusherApp = { id: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
    return new PusherScene(app, await PusherServer.start([app]));
  }

  create(options: DestinationOptions = {}): PusherDestination {
    this.destination = pusherDestination(`http://127.0.0.1:${this.server.port}`, options);
    this.created.push(this.destination);
    return this.destination;
  }

  deliver(body: Buffer = eventBody(1)): Promise<Outcome> {
    const { outcome } = this.destination.start(deliveryTo(this.destination, body));
    return within(outcome, WITHIN_MS, () => 'an outcome');
  }

  /** Everything that a real client, subscribed to `channel`, gets. */
  async listen(channel: string, options: Partial<Options> = {}): Promise<Happenings<SeenEvent>> {
    const client = connectClient(this.server, this.app, options);
    this.clients.push(client);
    const seen = new Happenings<SeenEvent>();
    const subscribed = await subscribe(client, channel);
    subscribed.bind_global((event: string, data: unknown) => {
      if (!event.startsWith('pusher:')) seen.add({ event, data });
    });
    return seen;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.disconnect();
    await Promise.all(this.created.map((each) => each.close()));
    await this.server.stop();
  }
}

export function kinds(outcomes: readonly Outcome[]): Outcome['kind'][] {
  return outcomes.map(({ kind }) => kind);
}

/** So many events, each with its number. */
export function numbered(count: number, instance = 'loja-centro'): Buffer[] {
  return Array.from({ length: count }, (_, number) => eventBody(number, { instance }));
}

/** Which of them it is, by what was sent. */
export function numberOf(data: string): string | undefined {
  return /3EB0(\d+)/.exec(data)?.[1];
}
