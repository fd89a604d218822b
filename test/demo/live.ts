import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, HOST } from '../support/processes/ports';
import type { Ending } from './ending';
import { INSTANCE } from './events';
import { Listener } from './listener';
import type { Stage } from './progress';
import type { Publications } from './publications';
import { PusherShow } from './pusher';
import { Receiver } from './receiver';
import { RelayProcess } from './relay-process';
import type { Wire } from './wire';

const HEADER = ['x-shop', 'bot-01'] as const;
/** When its webhook is set, and when the WebSocket client is cut off: shares of all events. */
const SET_AT = 0.25;
const CUT_AT = 0.4;
/** Settings are in force everywhere within this time (docs/settings.md). */
const IN_FORCE_MS = 1_000;
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 10_000;

export interface LiveOptions {
  readonly wire: Wire;
  readonly redisUri: string;
  readonly name: string;
  readonly publications: Publications;
  readonly ending: Ending;
}

/** What the run came to, for the report. */
export interface LiveResult {
  /** Events published when the webhook was set. */
  readonly setAfter: number;
  readonly own: number;
  /** Events of the instance, published when its webhook was in force, that did not come. */
  readonly ownLost: number;
  readonly ownAltered: number;
  readonly listener: Listener;
  readonly pusher: PusherShow;
  /** Of the audit, over all destinations. */
  readonly difference: number;
}

/** Worker and gateway in one process, whose settings change and whose WebSocket client comes and goes. */
export class Live {
  private setAfter = 0;
  private setAt = Number.POSITIVE_INFINITY;

  private constructor(
    readonly relay: RelayProcess,
    readonly gateway: string,
    readonly key: string,
    private readonly own: Receiver,
    private readonly listener: Listener,
    readonly pusher: PusherShow,
    private readonly publications: Publications,
  ) {}

  static async start({ wire, redisUri, name, publications, ending }: LiveOptions): Promise<Live> {
    const own = new Receiver({ name: INSTANCE, story: '', header: HEADER }, await freePort(), publications);
    ending.add('closing the receiver of an instance', () => own.close());
    const port = await freePort();
    const key = randomBytes(16).toString('hex');
    const gateway = `http://${HOST}:${port}`;
    const pusher = await PusherShow.start(ending);
    const environment = {
      ...wire.environmentFor(name),
      REDIS_URI: redisUri,
      REDIS_PREFIX_KEY: name,
      AUTHENTICATION_API_KEY: key,
      GATEWAY_HOST: HOST,
      GATEWAY_PORT: String(port),
      WEBSOCKET_ENABLED: 'true',
      WEBSOCKET_GLOBAL_EVENTS: 'true',
      ...pusher.environment(gateway),
      // The receiver is on this machine.
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    };
    const relay = await RelayProcess.start(
      { environment, signal: ending.signal, command: 'start' },
      (started) => ending.add('stopping the gateway', () => started.stop()),
    );
    const listener = new Listener(`ws://${HOST}:${port}/?apikey=${key}`, publications);
    ending.add('closing the WebSocket client', async () => listener.close());
    await listener.connect();
    await pusher.open(gateway, key, ending);
    return new Live(relay, gateway, key, own, listener, pusher, publications);
  }

  get stage(): Stage {
    const notes = [
      this.listener.isConnected ? '' : 'cut off',
      `${INSTANCE}'s own webhook: ${this.own.delivered}`,
      `Pusher: ${this.pusher.received}`,
    ];
    return { name: 'websocket', count: this.listener.received, note: notes.filter(Boolean).join(', ') };
  }

  /** @param published how many events are published by now */
  async run(events: number, published: () => number, signal: AbortSignal): Promise<void> {
    await this.own.open(signal);
    await Promise.all([
      this.listener.follow(events, Math.ceil(events * CUT_AT), signal),
      this.setWebhook(Math.ceil(events * SET_AT), published, signal),
      this.pusher.follow(events, signal),
    ]);
    await this.untilOwnComplete(signal);
  }

  async result(): Promise<LiveResult> {
    const audits = await this.relay.audits();
    return {
      setAfter: this.setAfter,
      own: this.own.delivered,
      ownLost: this.ownMissing,
      ownAltered: this.own.altered,
      listener: this.listener,
      pusher: this.pusher,
      difference: audits.reduce((sum, { difference }) => sum + Math.abs(difference), 0),
    };
  }

  private get ownMissing(): number {
    const due = this.publications.since(INSTANCE, this.setAt + IN_FORCE_MS);
    return due.filter((key) => !this.own.has(key)).length;
  }

  private async setWebhook(after: number, published: () => number, signal: AbortSignal): Promise<void> {
    while (published() < after) await delay(LOOK_EVERY_MS, undefined, { signal });
    const webhook = {
      enabled: true,
      url: this.own.url,
      base64: true,
      headers: { [HEADER[0]]: HEADER[1] },
      events: [],
    };
    const response = await fetch(`${this.gateway}/webhook/set/${INSTANCE}`, {
      method: 'POST',
      headers: { apikey: this.key, 'content-type': 'application/json' },
      body: JSON.stringify({ webhook }),
      signal,
    });
    if (response.status !== 201) throw new Error(`the webhook was not set: ${await response.text()}`);
    this.setAfter = published();
    this.setAt = performance.now();
  }

  private async untilOwnComplete(signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.ownMissing > 0 && Date.now() < deadline) await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
