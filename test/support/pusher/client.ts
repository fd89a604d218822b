import type { Channel, Options } from 'pusher-js';
import PusherClient from 'pusher-js';
import { HOST } from '../processes/ports';
import { within } from '../signals/signals';
import type { PusherApp } from './rules';
import type { PusherServer } from './server';

/** One event as a subscriber got it. */
export interface SeenEvent {
  readonly event: string;
  readonly data: unknown;
}

const WITHIN_MS = 10_000;

/** The real pusher-js, connected to the test server instead of a cluster. */
export function connectClient(
  server: PusherServer,
  app: PusherApp,
  options: Partial<Options> = {},
): PusherClient {
  return new PusherClient(app.key, {
    cluster: 'test',
    wsHost: HOST,
    wsPort: server.port,
    forceTLS: false,
    enabledTransports: ['ws'],
    disableStats: true,
    ...options,
  });
}

/** Resolves when Pusher has confirmed the subscription; rejects with what it said where it has not. */
export async function subscribe(client: PusherClient, name: string): Promise<Channel> {
  const channel = client.subscribe(name);
  if (channel.subscribed) return channel;
  await within(
    new Promise<void>((resolve, reject) => {
      channel.bind('pusher:subscription_succeeded', () => resolve());
      channel.bind('pusher:subscription_error', (error: unknown) => reject(new Error(JSON.stringify(error))));
      client.connection.bind('error', (error: unknown) => reject(new Error(JSON.stringify(error))));
    }),
    WITHIN_MS,
    () => `subscribed to ${name}; the connection is ${client.connection.state}`,
  );
  return channel;
}
