import { setTimeout as delay } from 'node:timers/promises';
import { REGION, SqsAdmin } from '../../support/harness/sqs-harness';
import { freePort } from '../../support/processes/ports';
import { SqsProxy } from '../../support/proxies/sqs-proxy';
import { PrivateSqs } from '../../support/servers/sqs-service';
import { Child } from '../child';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { follow, type Throughput, text } from './throughput';

const CONTESTANTS = ['bare', 'relay'] as const;
type Contestant = (typeof CONTESTANTS)[number];

const RATE_GOAL = 0.85;
const CALLS_GOAL = 0.25;
const BATCH = 10;
/** Sends to the emulator side by side. */
const SENDERS = 8;
/** Whole batches that a relay with SQS_PREFETCH=250 has room for, so that both hold as many messages at most. */
const POLLERS = 25;
const SETTLE_MS = 500;
const ACTIONS = ['ReceiveMessage', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch'];

/** Events from a queue that was filled before, through an emulator that both sides share the machine with. */
export async function measureSqs(bench: Bench): Promise<void> {
  const service = await PrivateSqs.start();
  bench.cleanup.add(() => service.stop());
  const admin = new SqsAdmin(service.endpoint);
  const { options, print } = bench;
  const measured: Record<Contestant, Throughput[]> = { bare: [], relay: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const contestant of round % 2 === 0 ? CONTESTANTS : CONTESTANTS.toReversed()) {
      const queueUrl = await fill(admin, `bench-${contestant}-${round}`, options.events);
      const throughput = await drain(bench, admin, contestant, queueUrl, service.endpoint);
      measured[contestant].push(throughput);
      bench.progress(`sqs, round ${round + 1}: ${contestant} ${text([throughput])}`);
    }
  }
  const calls = await countCalls(bench, admin, service.endpoint);
  admin.close();
  await service.stop();
  heading(print, `SQS (emulated): ${options.events} events, median of ${options.rounds}`);
  for (const contestant of CONTESTANTS) figure(print, contestant, text(measured[contestant]));
  const values = ratios(
    measured.relay.map(({ rate }) => rate),
    measured.bare.map(({ rate }) => rate),
  );
  verdict(print, { what: 'relay / bare', value: median(values), atLeast: RATE_GOAL, rounds: values });
  verdict(print, { what: 'API calls per event', value: calls, atMost: CALLS_GOAL });
}

async function fill(admin: SqsAdmin, name: string, count: number): Promise<string> {
  const queueUrl = await admin.createQueue(`${name}_messages_upsert`);
  const events = new Events('small');
  let left = count;
  const send = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(BATCH, left);
      left -= size;
      await admin.sendAll(
        queueUrl,
        Array.from({ length: size }, () => ({ body: events.next().toString() })),
      );
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  return queueUrl;
}

async function drain(
  bench: Bench,
  admin: SqsAdmin,
  contestant: Contestant,
  queueUrl: string,
  endpoint: string,
): Promise<Throughput> {
  const { receiver, redis, options } = bench;
  const before = await receiver.received();
  const child = await start(bench, contestant, queueUrl, endpoint);
  const throughput = await follow(receiver, before, options.events, child);
  await delay(SETTLE_MS);
  await child.stop();
  await redis.clear();
  const { visible, inFlight } = await admin.counts(queueUrl);
  if (visible + inFlight > 0) throw new Error(`${contestant}: ${visible + inFlight} events were not deleted`);
  await admin.deleteQueue(queueUrl);
  return throughput;
}

/** From the first event to the last, at saturation: what comes before and after is idling. */
async function countCalls(bench: Bench, admin: SqsAdmin, endpoint: string): Promise<number> {
  const { options, receiver } = bench;
  const proxy = await SqsProxy.start(endpoint);
  const queueUrl = await fill(admin, 'bench-calls', options.events);
  const before = await receiver.received();
  const child = await start(bench, 'relay', queueUrl, proxy.endpoint);
  await follow(receiver, before, options.events, child);
  const calls = ACTIONS.reduce((sum, action) => sum + proxy.countOf(action), 0);
  await delay(SETTLE_MS);
  await child.stop();
  await bench.redis.clear();
  await proxy.goOffline();
  await admin.deleteQueue(queueUrl);
  return calls / options.events;
}

async function start(
  bench: Bench,
  contestant: Contestant,
  queueUrl: string,
  endpoint: string,
): Promise<Child> {
  const env = {
    NODE_ENV: 'production',
    SQS_ENABLED: 'true',
    SQS_ENDPOINT: endpoint,
    SQS_REGION: REGION,
    SQS_ACCESS_KEY_ID: 'test',
    SQS_SECRET_ACCESS_KEY: 'test',
    SQS_QUEUE_URLS: queueUrl,
    SQS_WAIT_SECONDS: '1',
    BENCH_POLLERS: String(POLLERS),
    REDIS_URI: bench.redis.uri,
    REDIS_PREFIX_KEY: bench.redis.prefix,
    WEBHOOK_GLOBAL_URL: bench.receiver.url,
    DELIVERY_CONCURRENCY_PER_DESTINATION: '32',
    METRICS_HOST: '127.0.0.1',
    METRICS_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
  };
  const args =
    contestant === 'relay' ? [Child.path('dist/main.js'), 'worker'] : Child.script('contestants/bare-sqs.ts');
  return Child.start({ name: `${contestant} (sqs)`, args, env, folder: bench.folder }, bench.cleanup);
}
