import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { LogRecord } from '../../../src/delivery-log/log-record';
import { LogStore } from '../../../src/delivery-log/log-store';
import { LogWriter } from '../../../src/delivery-log/log-writer';
import { instanceId } from '../../../src/destinations/destination-ids';
import { destinationKey } from '../../../src/pipeline/delivery';
import { RelayRedis } from '../../../src/redis/relay-redis';
import { DashboardClient } from '../../support/clients/dashboard-client';
import { ask } from '../../support/harness/gateway-harness';
import { freePort } from '../../support/processes/ports';
import { notedOf } from '../../support/values/message-keys';
import { Child } from '../child';
import type { Bench } from '../context';
import { figure, heading, verdict } from '../report';
import { median } from '../statistics';

const DESTINATIONS = 10_000;
const FAILING = 200;
const WAITING = 1000;
const VIEWERS = 100;
/** As the page's script does. */
const INTERVAL_MS = 3000;
const WATCHED_MS = 30_000;
const LOOKS = 10;
/** Longer than one view of Redis is used: each look reads everything anew. */
const BETWEEN_MS = 5000;
const KEY = 'key-of-the-benchmark';
const PATHS = ['/dashboard', '/dashboard/destinations'] as const;

/** Pages that follow the delivery log: what they show is another at each look, as deliveries go on. */
const FOLLOWING = ['/dashboard/tail', '/dashboard/deliveries'] as const;
/** Noted every so often, while somebody looks. */
const DELIVERIES = { count: 10, everyMs: 100 };

/** What the dashboard costs with many destinations and many viewers. */
export async function measureDashboard(bench: Bench): Promise<void> {
  const { print, progress } = bench;
  await fill(bench);
  const port = await freePort();
  const gateway = await startGateway(bench, port);
  heading(print, `Dashboard: ${DESTINATIONS} destinations, ${FAILING} of them failing`);
  const client = await DashboardClient.logIn(port, KEY);
  for (const path of PATHS) {
    progress(`dashboard: ${path}`);
    const looks = [];
    for (let look = 0; look < LOOKS; look++) {
      looks.push(await firstScreen(client, path));
      await delay(BETWEEN_MS);
    }
    const times = looks.map(({ ms }) => ms);
    verdict(print, {
      what: `${path}, median`,
      value: median(times),
      unit: ' ms',
      atMost: 300,
      rounds: times,
    });
    const kilobytes = Math.max(...looks.map(({ bytes }) => bytes)) / 1000;
    verdict(print, { what: `${path}, with all files`, value: kilobytes, unit: ' KB', atMost: 150 });
  }
  progress(`dashboard: ${VIEWERS} viewers`);
  const idle = await shareOfCore(gateway, () => delay(WATCHED_MS / 3));
  figure(print, 'nobody looks', `${idle.toFixed(1)} % of a core`);
  const writer = await openWriter(bench);
  for (const paths of [PATHS, ...FOLLOWING.map((path) => [path])]) {
    const watched = await shareOfCore(gateway, () => watch(port, client.cookie, paths));
    const what = `${VIEWERS} viewers of ${paths.join(' and ')}, of a core`;
    verdict(print, { what, value: watched - idle, unit: ' %', atMost: 10 });
  }
  await writer.close();
  await gateway.stop();
  await bench.redis.clear();
}

/** What is known of destinations, as workers leave it in Redis. */
async function fill({ redis: { uri, prefix } }: Bench): Promise<void> {
  const redis = new Redis(uri);
  try {
    const pipeline = redis.pipeline();
    for (let index = 0; index < DESTINATIONS; index++) {
      const id = instanceId('webhook', `loja-${index}`);
      const key = destinationKey(id);
      pipeline.hset(`{${prefix}}:destinations`, key, id);
      pipeline.hset(`{${prefix}}:audit`, `${key}:accepted`, 1000 + index, `${key}:delivered`, 1000 + index);
      if (index < WAITING) pipeline.zadd(`{${prefix}}:share:parked-of`, index + 1, key);
      const record = {
        id,
        state: 'failing',
        since: Date.now() - index * 1000,
        code: 'HTTP_503',
        status: 503,
      };
      if (index < FAILING) pipeline.hset(`{${prefix}}:health`, key, JSON.stringify(record));
    }
    await pipeline.exec();
  } finally {
    redis.disconnect();
  }
}

/** Notes deliveries as a worker does, until it is closed. */
async function openWriter({ redis: { uri, prefix } }: Bench): Promise<{ close(): Promise<void> }> {
  const redis = new RelayRedis(uri);
  const fail = (error: unknown): never => {
    throw error;
  };
  const limits = { maxAgeMs: 86_400_000, maxRows: 1_000_000, maxBytes: 1e9 };
  const writer = new LogWriter({ limits, onSkipped: fail, onError: fail });
  writer.open(new LogStore({ redis, prefix }));
  let number = 0;
  const timer = setInterval(() => {
    for (let count = 0; count < DELIVERIES.count; count++) writer.note(notedOf(deliveredNow(number++)));
  }, DELIVERIES.everyMs);
  return {
    close: async () => {
      clearInterval(timer);
      await writer.close();
      redis.disconnect();
    },
  };
}

function deliveredNow(number: number): LogRecord {
  const message = `3EB0${String(number).padStart(16, '0')}`;
  return {
    ...{ what: 'delivered', id: `dlv_${message.padEnd(22, 'x')}abcdefgh`, destination: 'webhook:global' },
    ...{ instance: `loja-${number % 100}`, event: 'messages.upsert', message },
    ...{ chat: `55119${String(number % 20_000).padStart(8, '0')}@s.whatsapp.net`, alias: '', at: Date.now() },
    ...{ attempt: 1, durationMs: 20, status: 200, code: '', answer: '', bytes: 1200 },
  };
}

async function startGateway({ redis, folder, cleanup }: Bench, port: number): Promise<Child> {
  const env = {
    NODE_ENV: 'production',
    REDIS_URI: redis.uri,
    REDIS_PREFIX_KEY: redis.prefix,
    AUTHENTICATION_API_KEY: KEY,
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    LOG_LEVEL: 'warn',
  };
  const args = [Child.path('dist/main.js'), 'gateway'];
  const gateway = await Child.start({ name: 'gateway', args, env, folder }, cleanup);
  const isReady = async (): Promise<boolean> => {
    const answer = await ask(port, 'GET', '/readyz', { key: null }).catch(() => undefined);
    return answer?.status === 200;
  };
  while (!(await isReady())) {
    gateway.check();
    await delay(50);
  }
  return gateway;
}

/** The page with everything that it loads, one after the other: a browser asks for files at the same time. */
async function firstScreen(client: DashboardClient, path: string): Promise<{ ms: number; bytes: number }> {
  const begun = performance.now();
  const page = await client.get(path);
  if (page.status !== 200) throw new Error(`${path} answered ${page.status}`);
  const files = [...page.text.matchAll(/(?:src|href)="(\/dashboard\/assets\/[^"]+)"/g)].map(
    ([, file = '']) => file,
  );
  const folder = files[0]?.slice(0, files[0].lastIndexOf('/')) ?? '';
  const modules = ['morph.mjs', 'charts.mjs'].map((name) => `${folder}/${name}`);
  let bytes = Buffer.byteLength(page.text);
  for (const file of [...new Set([...files, ...modules])])
    bytes += Buffer.byteLength((await client.get(file)).text);
  return { ms: performance.now() - begun, bytes };
}

/** Processor time while something is done, in per cent of one core. */
async function shareOfCore(gateway: Child, work: () => Promise<void>): Promise<number> {
  const [begunAt, before] = [performance.now(), gateway.cpuMs];
  await work();
  return ((gateway.cpuMs - before) / (performance.now() - begunAt)) * 100;
}

async function watch(port: number, cookie: string, paths: readonly string[]): Promise<void> {
  const viewer = async (index: number): Promise<void> => {
    const client = new DashboardClient(port, cookie);
    const path = paths[index % paths.length] ?? '/dashboard';
    const headers = { 'x-relay-part': 'main', connection: 'keep-alive' };
    await delay((index / VIEWERS) * INTERVAL_MS);
    const until = performance.now() + WATCHED_MS - INTERVAL_MS;
    let etag = '';
    while (performance.now() < until) {
      const answer = await client.get(path, { ...headers, 'if-none-match': etag });
      etag = answer.headers.etag ?? etag;
      await delay(INTERVAL_MS);
    }
  };
  await Promise.all(Array.from({ length: VIEWERS }, (_, index) => viewer(index)));
}
