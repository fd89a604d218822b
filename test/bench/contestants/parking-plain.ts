import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { runParking, UNDER_WAY } from './parking-run';
import { redisSettings } from './settings';

/** Due long after the measurement, as a retry is due later. */
const OPTIONS = { delay: 600_000, attempts: 10, backoff: { type: 'exponential', delay: 5000 } };

/** Retries as BullMQ's documentation has them: the event itself is the job's data. */
runParking(async () => {
  const { redis, redisPrefix } = redisSettings();
  const queue = new Queue<unknown>('retry', { connection: new Redis(redis), prefix: redisPrefix });
  await queue.waitUntilReady();
  return {
    // The relay has parsed an event before it parks it, too.
    prepare: (body) => JSON.parse(body.toString()) as unknown,
    park: async (events) => {
      for (let index = 0; index < events.length; index += UNDER_WAY) {
        const batch = events.slice(index, index + UNDER_WAY);
        await queue.addBulk(batch.map((data) => ({ name: 'messages.upsert', data, opts: OPTIONS })));
      }
    },
  };
});
