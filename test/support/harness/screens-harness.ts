import { LogNotes } from '../../../src/delivery-log/log-notes';
import { LogStore } from '../../../src/delivery-log/log-store';
import { LogWriter } from '../../../src/delivery-log/log-writer';
import type { Delivery } from '../../../src/pipeline/delivery';
import { connectRedis } from '../../../src/redis/client';
import type { RelayRedis } from '../../../src/redis/relay-redis';
import { SilenceStore } from '../../../src/silence/silence-store';
import { WatchedInstance } from '../../../src/silence/watched-instance';
import { DashboardClient } from '../clients/dashboard-client';
import { eventually } from '../signals/signals';
import { deliveryTo } from '../values/events';
import { redisConfig } from '../values/redis-config';
import { GatewayHarness } from './gateway-harness';
import { DELIVERED, FakeDestination } from './pipeline-harness';
import { StoreHarness } from './store-harness';

const READ_KEY = 'a-key-that-only-reads';
const TOKEN = 'token-of-the-shop-1234';
export const EVIL = '<script>alert(1)</script>';
export const EVIL_TEXT = '&lt;script&gt;alert(1)&lt;/script&gt;';
/** Moves a cursor, turns text, and is HTML. */
const EVIL_ANSWER = 'no\u0000\u001b[2J\u202e<img src=x onerror=alert(1)>';
/** More digits than a number of JavaScript has. */
export const BIG = '12345678901234567890';
export const INSTANCE_KEY = 'secret-key-within-the-event';

/** What is shown, and to whom. */
export const global = new FakeDestination('webhook:global');
export const own = new FakeDestination('webhook:instance/loja');
const evil = new FakeDestination(`webhook:instance/${encodeURIComponent(EVIL)}`);

interface Event {
  readonly id: string;
  readonly instance: string;
  readonly event?: string;
}

function deliveryOf(
  { id, instance, event = 'messages.upsert' }: Event,
  destination: FakeDestination,
): Delivery {
  const key = { remoteJid: '5511988887777@s.whatsapp.net', fromMe: false, id };
  const body = JSON.stringify({
    event,
    instance,
    data: { key, big: 'BIG' },
    apikey: INSTANCE_KEY,
  });
  const found = deliveryTo(destination, body.replace('"BIG"', BIG));
  return { ...found, envelope: { ...found.envelope, since: Date.now() } };
}

export const logged = deliveryOf({ id: '3EB0LOJA', instance: 'loja' }, own);
export const refused = deliveryOf({ id: '3EB0GLOBAL', instance: 'loja' }, global);
export const foreign = deliveryOf({ id: '3EB0EVIL', instance: EVIL }, evil);
export const pathOf = ({ id }: Delivery): string => `/dashboard/deliveries/${encodeURIComponent(id)}`;
export const instancePath = (instance: string): string =>
  `/dashboard/instances/one?${new URLSearchParams({ instance })}`;

/** A gateway with a delivery log, instances of which one fell silent, and people of each kind who look at its dashboard. */
export class ScreensHarness {
  private constructor(
    readonly store: StoreHarness,
    readonly gateway: GatewayHarness,
    readonly people: {
      readonly operator: DashboardClient;
      readonly reader: DashboardClient;
      readonly tenant: DashboardClient;
    },
  ) {}

  static async open(): Promise<ScreensHarness> {
    const store = await StoreHarness.open();
    const redis = connectRedis(redisConfig(store.uri, store.prefix), 'commands', () => {});
    await new Promise((resolve) => redis.once('ready', resolve));
    const gateway = await GatewayHarness.start({
      REDIS_PREFIX_KEY: store.prefix,
      DASHBOARD_READ_KEY: READ_KEY,
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    });
    await logAttempts(redis, store.prefix);
    redis.disconnect();
    await watchInstances(store);
    const webhook = {
      enabled: true,
      url: 'http://user:secret-password@127.0.0.1:9/hook',
      events: ['MESSAGES_UPSERT'],
    };
    await gateway.ask('POST', '/settings/set/loja', { body: { token: TOKEN, webhook } });
    const port = gateway.gateway.gatewayPort;
    const [operator, reader, tenant] = await Promise.all([
      DashboardClient.logIn(port),
      DashboardClient.logIn(port, READ_KEY),
      DashboardClient.logIn(port, TOKEN, 'loja'),
    ]);
    return new ScreensHarness(store, gateway, { operator, reader, tenant });
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.store.close();
  }
}

async function logAttempts(redis: RelayRedis, prefix: string): Promise<void> {
  const limits = { maxAgeMs: 1e9, maxRows: 1e6, maxBytes: 1e8 };
  const writer = new LogWriter({ limits, onSkipped: () => {}, onError: () => {} });
  writer.open(new LogStore({ redis, prefix }));
  const notes = new LogNotes({ sink: writer, slowAfterMs: 1000, withBodies: true });
  const attempt = { attempt: 1, at: Date.now() - 1000, durationMs: 3 };
  notes.attemptEnded(logged, { ...attempt, outcome: DELIVERED });
  const rejected = { kind: 'rejected', code: 'HTTP_400', status: 400, answer: EVIL_ANSWER } as const;
  notes.attemptEnded(refused, { ...attempt, outcome: rejected });
  notes.attemptEnded(foreign, { ...attempt, outcome: DELIVERED });
  await writer.close();
}

async function watchInstances(store: StoreHarness): Promise<void> {
  const watched = WatchedInstance.new(Date.now() - 3_600_000);
  for (let hour = 0; hour < 168; hour++) watched.rhythm.learn(hour, 12, 1);
  const silence = new SilenceStore(store.store);
  await silence.learn([
    ['loja', watched],
    [EVIL, WatchedInstance.new(Date.now())],
  ]);
  await silence.tell([[EVIL, { since: Date.now() - 60_000, why: 'fell-silent' }]]);
}

export async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  await eventually(async () => (await check()) || undefined, what);
}
