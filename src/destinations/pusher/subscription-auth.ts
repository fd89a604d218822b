import Pusher from 'pusher';
import type { AppCredentials } from './signer';

/** Who somebody is on a presence channel. */
export interface Presence {
  readonly user_id: string;
  readonly user_info?: Readonly<Record<string, unknown>>;
}

const SOCKET_ID = /^\d{1,20}\.\d{1,20}$/;

/** Whether Pusher could have given this id to a connection. */
export function isSocketId(text: string): boolean {
  return SOCKET_ID.test(text);
}

/** Signs what clients of one app may do, as Pusher's own library does. */
export class AppAuthorizer {
  private readonly pusher: Pusher;

  constructor(app: AppCredentials, masterKeyBase64: string) {
    const encryption = masterKeyBase64 === '' ? {} : { encryptionMasterKeyBase64: masterKeyBase64 };
    this.pusher = new Pusher({ ...app, cluster: 'mt1', ...encryption });
  }

  /** For a private, presence or encrypted channel. */
  channel(socketId: string, channel: string, presence: Presence | undefined): Pusher.ChannelAuthResponse {
    return this.pusher.authorizeChannel(socketId, channel, presence);
  }

  user(socketId: string, user: Pusher.UserChannelData): Pusher.UserAuthResponse {
    return this.pusher.authenticateUser(socketId, user);
  }

  /** The events of one of Pusher's webhooks; undefined where this app has not sent it. @param body as it came */
  webhook(headers: SignatureHeaders, body: Buffer): PusherWebhook | undefined {
    const webhook = this.pusher.webhook({
      headers: { ...headers, 'content-type': 'application/json' },
      rawBody: body.toString('utf8'),
    });
    return webhook.isValid() ? asWebhook(webhook.getData()) : undefined;
  }
}

/** What a webhook is signed with. */
export interface SignatureHeaders {
  readonly 'x-pusher-key': string;
  readonly 'x-pusher-signature': string;
}

export interface PusherWebhookEvent {
  readonly name: string;
  readonly channel: string;
}

export interface PusherWebhook {
  /** When Pusher sent it, by its clock. */
  readonly timeMs: number;
  readonly events: readonly PusherWebhookEvent[];
}

/** What is signed was written by Pusher; still, nothing is taken for granted. */
function asWebhook(data: unknown): PusherWebhook {
  const { time_ms, events } = (data ?? {}) as { time_ms?: unknown; events?: unknown };
  return {
    timeMs: Number(time_ms) || 0,
    events: (Array.isArray(events) ? events : []).flatMap((event: unknown) => {
      const { name, channel } = (event ?? {}) as { name?: unknown; channel?: unknown };
      return typeof name === 'string' ? [{ name, channel: typeof channel === 'string' ? channel : '' }] : [];
    }),
  };
}
