import type PusherClient from 'pusher-js';
import type { Options } from 'pusher-js';
import { HttpTarget } from '../servers/http-target';
import { connectClient } from './client';
import { CREDENTIALS, MASTER_KEY } from './destination';
import { LocalGateway } from './gateway';
import type { PusherApp } from './rules';
import { PusherServer } from './server';

/** The app of an instance, beside the global one. */
export const OWN = { appId: '77', key: 'own-key', secret: 'own-secret', cluster: 'eu' };

/** A Pusher server with two apps, clients of it, and what the gateway asks; the gateway itself once it is started. */
export class GatewayScene {
  readonly app: PusherApp;
  readonly ownApp: PusherApp;
  private readonly clients: PusherClient[] = [];
  private running: LocalGateway | undefined;

  private constructor(
    readonly server: PusherServer,
    readonly hook: HttpTarget,
    apps: { readonly app: PusherApp; readonly ownApp: PusherApp },
  ) {
    this.app = apps.app;
    this.ownApp = apps.ownApp;
  }

  static async open(): Promise<GatewayScene> {
    const app: PusherApp = { id: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
    const ownApp: PusherApp = { id: OWN.appId, key: OWN.key, secret: OWN.secret };
    const server = await PusherServer.start([app, ownApp]);
    return new GatewayScene(server, await HttpTarget.start(), { app, ownApp });
  }

  get gateway(): LocalGateway {
    if (this.running === undefined) throw new Error('it was not started');
    return this.running;
  }

  async start(env: Record<string, string> = {}): Promise<void> {
    const { app } = this;
    this.running = await LocalGateway.start({
      PUSHER_GLOBAL_APP_ID: app.id,
      PUSHER_GLOBAL_KEY: app.key,
      PUSHER_GLOBAL_SECRET: app.secret,
      PUSHER_GLOBAL_CLUSTER: 'us2',
      PUSHER_CHANNEL_PREFIX: 'private-',
      PUSHER_ENCRYPTION_MASTER_KEY_BASE64: MASTER_KEY,
      ...env,
    });
  }

  /** With another environment. */
  async startAgain(env: Record<string, string> = {}): Promise<void> {
    await this.gateway.stop();
    await this.start(env);
  }

  /** A real client that has its subscriptions signed by the gateway. */
  client(headers: Record<string, string>, options: Partial<Options> = {}, of = this.app): PusherClient {
    const { url } = this.gateway;
    const created = connectClient(this.server, of, {
      channelAuthorization: { transport: 'ajax', endpoint: `${url}/pusher/auth`, headers },
      userAuthentication: {
        transport: 'ajax',
        endpoint: `${url}/pusher/user-auth`,
        headers,
        params: { instance: 'loja-centro', user_id: 'ann' },
      },
      ...options,
    });
    this.clients.push(created);
    return created;
  }

  async setSettings(instance: string, settings: object): Promise<void> {
    for (const [section, value] of Object.entries(settings)) {
      const answer = await this.gateway.post(`/${section}/set/${instance}`, { [section]: value });
      expect(answer.status).toBe(201);
    }
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.disconnect();
    await this.server.stop();
    await this.running?.stop();
    await this.hook.stop();
  }
}
