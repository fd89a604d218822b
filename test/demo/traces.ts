import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { connectOptions } from '../../src/sources/rabbitmq/address';
import type { Brokers } from './brokers';

const CONNECT_TIMEOUT_MS = 5_000;
const SCAN_COUNT = 1_000;

/** Deletes what a run made in RabbitMQ: they may be somebody's own, who would be left with our queues. */
export async function removeQueues(
  brokers: Brokers,
  exchange: string,
  queues: readonly string[],
): Promise<void> {
  const connection = await connect(connectOptions(brokers.rabbitUri, brokers.frameMax), {
    timeout: CONNECT_TIMEOUT_MS,
  });
  const channel = await connection.createChannel();
  for (const queue of queues) await channel.deleteQueue(queue);
  await channel.deleteExchange(exchange);
  await connection.close();
}

/** Deletes every key whose prefix in braces begins so (design.md, Redis). */
export async function removeKeys({ redisUri }: Brokers, prefixes: string): Promise<void> {
  const redis = new Redis(redisUri, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    for await (const keys of redis.scanStream({ match: `{${prefixes}*}:*`, count: SCAN_COUNT })) {
      if (keys.length > 0) await redis.unlink(keys);
    }
  } finally {
    redis.disconnect();
  }
}
