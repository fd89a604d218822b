import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect } from 'amqplib';
import { audit } from '../../../src/ledger/audit';
import { type DestinationId, destinationKey } from '../../../src/pipeline/delivery';
import { RelayRedis } from '../../../src/redis/relay-redis';
import { RetryStore } from '../../../src/retry/retry-store';
import { PrivateRabbit } from '../../support/servers/private-services';
import { Child } from '../child';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import type { BenchRedis } from '../redis';
import { figure, heading } from '../report';
import { setWebhooks } from '../webhooks';
import { residentMegabytes } from './memory';
import { follow } from './throughput';

const DESTINATIONS = 100_000;
const INSTANCES = 10_000;
const QUEUES = 500;
const HANDSHAKES = 500;
/** Destinations counted by one step, as the ledger does it. */
const AT_ONCE = 500;

/** What instances, destinations and queues take by being there (docs/capacity.md): no event is timed. */
export async function measureCapacity(bench: Bench): Promise<void> {
  heading(bench.print, 'Capacity: what things take by being there');
  await measureSettings(bench);
  await measureDestinations(bench);
  await measureWorker(bench);
  await measureHandshakes(bench);
  await measureQueues(bench);
}

async function measureSettings(bench: Bench): Promise<void> {
  const before = await bench.redis.usedBytes();
  await setWebhooks(bench, INSTANCES, (number) => `https://tenant-${number}.example.com/webhook`);
  const bytes = ((await bench.redis.usedBytes()) - before) / INSTANCES;
  figure(bench.print, 'Redis, an instance', `${Math.round(bytes)} bytes, with one webhook`);
  await bench.redis.clear();
}

/** As a worker counts what it has just delivered, to each of them. */
async function measureDestinations({ redis, print }: Bench): Promise<void> {
  const client = new RelayRedis(redis.uri);
  const store = new RetryStore({ redis: client, prefix: redis.prefix, onError: () => {} });
  await store.waitUntilReady();
  const before = await redis.usedBytes();
  const ids = Array.from(
    { length: DESTINATIONS },
    (_, number) => `webhook:tenant-${number}` as DestinationId,
  );
  const counted = await redisMs(redis, async () => {
    for (let first = 0; first < ids.length; first += AT_ONCE) {
      const some = ids.slice(first, first + AT_ONCE);
      await store.call('relayCount', ...some.flatMap((id) => [destinationKey(id), id, 1, 0]));
    }
  });
  const bytes = ((await redis.usedBytes()) - before) / DESTINATIONS;
  figure(print, 'Redis, a destination', `${Math.round(bytes)} bytes once counted, ${each(counted)} a count`);
  const audited = await redisMs(redis, () => audit(store));
  figure(
    print,
    'Redis, an audit',
    `${Math.round(audited)} ms with ${DESTINATIONS} destinations, nothing parked`,
  );
  await store.close();
  client.disconnect();
  await redis.clear();
}

function each(ms: number): string {
  return `${((ms * 1000) / DESTINATIONS).toFixed(1)} µs`;
}

/** A worker that has delivered one event of each instance to a webhook of its own. */
async function measureWorker(bench: Bench): Promise<void> {
  const { broker, receiver, redis, print } = bench;
  await setWebhooks(bench, INSTANCES, (number) => `${receiver.url}/${number}`);
  await broker.renewQueue();
  const before = await receiver.received();
  const others = { WEBHOOK_GLOBAL_URL: '', WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' };
  const child = await startContestant(bench, 'relay', '', others);
  const megabytes = [residentMegabytes(child.pid) ?? 0];
  for (const instances of [1000, INSTANCES]) {
    const events = new Events('small', instances);
    for (let index = 0; index < INSTANCES; index++) await broker.publish(events.routingKey, events.next());
    await broker.confirmed();
    await follow(receiver, before + (megabytes.length - 1) * INSTANCES, INSTANCES, child);
    megabytes.push(residentMegabytes(child.pid) ?? 0);
  }
  await child.stop();
  await redis.clear();
  const [, few = 0, many = 0] = megabytes.map(Math.round);
  figure(
    print,
    'worker, resident',
    `${few} MB after ${INSTANCES} events of 1000 instances, ${many} MB after as many of ${INSTANCES}`,
  );
}

/** A server of its own, so that its processor time is not counted. */
const TLS_SERVER = `
  const { readFileSync } = require('node:fs');
  const [key, cert] = process.argv.slice(1).map((file) => readFileSync(file));
  require('node:https').createServer({ key, cert }, (_request, response) => response.end()).listen(0, '127.0.0.1', function () {
    process.send(this.address().port);
  });`;

/** What a request costs more where it needs a connection of its own, as at a host that gets an event in minutes. */
async function measureHandshakes({ folder, cleanup, print }: Bench): Promise<void> {
  const pem = (name: string): string => Child.path('test/support/proxies/tls', name);
  const args = ['-e', TLS_SERVER, pem('localhost-key.pem'), pem('localhost.pem')];
  const server = await Child.start({ name: 'TLS server', args, env: {}, folder }, cleanup);
  const port = await server.message<number>();
  const ca = readFileSync(pem('authority.pem'));
  const kept = new Agent({ keepAlive: true, maxSockets: 1, ca });
  const cpuOf = async (agent: Agent | false): Promise<number> => {
    const before = process.cpuUsage();
    for (let count = 0; count < HANDSHAKES; count++) {
      const sent = request({ host: 'localhost', port, agent, ca, method: 'POST' }).end();
      const [response] = await once(sent, 'response');
      response.resume();
      await once(response, 'end');
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / HANDSHAKES;
  };
  await cpuOf(kept);
  const [reused, fresh] = [await cpuOf(kept), await cpuOf(false)];
  kept.destroy();
  await server.stop();
  const times = (fresh / reused).toFixed(1);
  figure(
    print,
    'a request by TLS',
    `${Math.round(fresh)} µs of processor time over a new connection, ${Math.round(reused)} µs over a kept one (${times} times)`,
  );
}

/** Without a message, each bound once. */
async function measureQueues({ print }: Bench): Promise<void> {
  const rabbit = await PrivateRabbit.start();
  try {
    const connection = await connect(rabbit.uri);
    const channel = await connection.createChannel();
    const used = async (): Promise<number> => {
      await rabbit.control('eval', '[garbage_collect(P) || P <- processes()].');
      return Number(await rabbit.control('eval', 'erlang:memory(total).'));
    };
    for (const type of ['classic', 'quorum']) {
      const before = await used();
      for (let number = 0; number < QUEUES; number++) {
        const { queue } = await channel.assertQueue(`${type}-${number}`, {
          arguments: { 'x-queue-type': type },
        });
        await channel.bindQueue(queue, 'amq.topic', `instance-${number}.messages.upsert`);
      }
      const kilobytes = ((await used()) - before) / QUEUES / 1000;
      figure(print, `RabbitMQ, a ${type} queue`, `${kilobytes.toFixed(0)} KB of memory, without messages`);
    }
    await connection.close();
  } finally {
    await rabbit.dispose();
  }
}

/** Processor time of Redis for some work, in ms. */
async function redisMs(redis: BenchRedis, work: () => Promise<unknown>): Promise<number> {
  const before = await redis.cpuMs();
  await work();
  return (await redis.cpuMs()) - before;
}
