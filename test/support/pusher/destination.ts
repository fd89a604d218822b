import { PusherApp, type PusherAppOptions } from '../../../src/destinations/pusher/pusher-app';
import {
  PusherDestination,
  type PusherOptions,
  type PusherTarget,
} from '../../../src/destinations/pusher/pusher-destination';
import type { AppCredentials } from '../../../src/destinations/pusher/signer';
import { createHttpClient } from '../../../src/network/http-client';
import type { DestinationId } from '../../../src/pipeline/delivery';

export const CREDENTIALS: AppCredentials = { appId: '1234567', key: 'key-1', secret: 'secret-1' };
export const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');
export const MAX_REQUESTS = 4;

export interface DestinationOptions {
  readonly credentials?: AppCredentials;
  readonly target?: Partial<PusherTarget>;
  readonly options?: Partial<PusherOptions>;
  readonly app?: Partial<PusherAppOptions>;
}

/** A destination that sends to the server at `origin`, over connections of its own. */
export function pusherDestination(
  origin: string,
  { credentials = CREDENTIALS, target, options, app }: DestinationOptions = {},
): PusherDestination {
  const client = createHttpClient(origin, { connections: MAX_REQUESTS, connectTimeoutMs: 5000 });
  return new PusherDestination(
    {
      id: 'pusher:test' as DestinationId,
      appId: credentials.appId,
      endpoint: { shown: origin, print: 'test' },
      maxAttempts: 10,
      shares: [],
      limits: {},
      ...target,
    },
    { stripApikey: false, channelPrefix: '', maxEventBytes: 10_240, timeoutMs: 30_000, ...options },
    new PusherApp(credentials, client, {
      masterKey: MASTER_KEY,
      lingerMs: 2,
      timeoutMs: 30_000,
      maxRequests: MAX_REQUESTS,
      longDelayMs: 300_000,
      ...app,
    }),
  );
}
