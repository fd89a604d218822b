import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';
import { SILENT } from '../../../src/observability/logging';
import { RabbitMqSource } from '../../../src/sources/rabbitmq/rabbitmq-source';
import { connector } from '../../../src/sources/rabbitmq/session';
import { InstanceFollower } from '../../../src/worker/instance-follower';
import type { Measure } from './case';
import { CountedBinds } from './counted-binds';

const COUNT = 10_000;
const FRAME_MAX = 131_072;
const RECHECK_MS = 4000;
/** Declared or deleted at once. */
const BATCH = 200;
const names = Array.from({ length: COUNT }, (_, n) => `bench-turns-${process.pid}-${n}`);
const queue = `bench-turns-${process.pid}`;

/** The first pass over 10,000 instances that come at once, and one of the looks at all of them from then on. */
export async function amqpExchanges(measure: Measure): Promise<number[]> {
  const uri = process.env['RABBITMQ_URI'] ?? '';
  const binds = new CountedBinds(connector(uri, FRAME_MAX));
  await inBatches(uri, (channel, name) => channel.assertExchange(name, 'topic', { durable: true }));
  const source = new RabbitMqSource({
    uri,
    frameMax: FRAME_MAX,
    prefetch: 250,
    maxBytes: FRAME_MAX,
    exchanges: [],
    topology: { mode: 'dedicated', queue, prefixKey: '' },
    log: SILENT,
    connect: binds.connect,
    recheckMs: RECHECK_MS,
  });
  const follower = new InstanceFollower(
    {
      settings: { of: async () => undefined },
      names: async () => names,
      apply: async (instance) => {
        source.consumeExchange({ name: instance, instance, events: 'all' });
        return true;
      },
      onError: (error) => {
        throw error;
      },
    },
    [],
  );
  try {
    await source.start(() => {});
    while (!source.state.ready) await delay(20);
    const first = await measure(async () => {
      follower.change(undefined);
      await binds.reach(COUNT);
    });
    const steady = await measure(() => binds.reach(2 * COUNT));
    return [first, steady];
  } finally {
    follower.close();
    await source.stopIntake();
    await source.close();
    await inBatches(uri, (channel, name) => channel.deleteExchange(name));
    await inBatches(uri, (channel) => channel.deleteQueue(queue), [queue]);
  }
}

type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>;

async function inBatches(
  uri: string,
  work: (channel: Channel, name: string) => Promise<unknown>,
  all: readonly string[] = names,
): Promise<void> {
  const connection = await connect(uri);
  const channel = await connection.createChannel();
  for (let first = 0; first < all.length; first += BATCH)
    await Promise.all(all.slice(first, first + BATCH).map((name) => work(channel, name)));
  await connection.close();
}
