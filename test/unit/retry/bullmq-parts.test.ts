import * as bullmq from 'bullmq';
import { RelayRedis } from '../../../src/redis/relay-redis';
import { createIORedisClient, makeQueue, makeWorker } from '../../../src/retry/bullmq-parts';

it('the parts of BullMQ that are loaded alone are those that its index has', async () => {
  expect(createIORedisClient).toBe(bullmq.createIORedisClient);
  const connection = new RelayRedis({ lazyConnect: true });
  connection.disconnect();
  const queue = makeQueue('any', { connection, skipVersionCheck: true });
  const worker = makeWorker('any', { connection, skipVersionCheck: true, autorun: false });
  queue.on('error', () => {});
  worker.on('error', () => {});
  expect(queue).toBeInstanceOf(bullmq.Queue);
  expect(worker).toBeInstanceOf(bullmq.Worker);
});
