import { type Channel, type ConsumeMessage, connect } from 'amqplib';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import { run, settings } from './settings';

const NAME = 'events';

/** Twice the others' requests: while a job is fetched or settled in Redis it sends nothing. */
const JOBS_PER_REQUEST = 2;

/**
 * Every event through BullMQ first: stored in batches and then acknowledged, and delivered by a worker in the same
 * process. The body is stored as text, which is faster than as an object that is parsed and written twice more.
 */
run(async () => {
  const { rabbitmq, queue, prefetch, redis, redisPrefix, url, concurrency } = settings();
  const pool = new Pool(url.origin, { connections: concurrency });
  const jobs = new Queue<string>(NAME, {
    connection: new Redis(redis, { maxRetriesPerRequest: null }),
    prefix: redisPrefix,
    defaultJobOptions: {
      attempts: 10,
      backoff: { type: 'exponential', delay: 5000 },
      removeOnComplete: true,
    },
  });
  const headers = { 'content-type': 'application/json' };
  const worker = new Worker<string>(
    NAME,
    async ({ data }) => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: url.pathname,
        headers,
        body: data,
      });
      await body.dump();
      if (statusCode < 200 || statusCode >= 300) throw new Error(`HTTP ${statusCode}`);
    },
    {
      connection: new Redis(redis, { maxRetriesPerRequest: null }),
      prefix: redisPrefix,
      concurrency: concurrency * JOBS_PER_REQUEST,
    },
  );
  const connection = await connect(rabbitmq, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  await channel.consume(queue, inBatches(channel, jobs));
  return {
    close: async () => {
      await channel.close();
      await connection.close();
      await worker.close();
      await jobs.close();
    },
  };
});

/** While one batch is being stored the next one gathers. */
function inBatches(channel: Channel, jobs: Queue<string>): (message: ConsumeMessage | null) => void {
  let gathered: ConsumeMessage[] = [];
  let storing = false;

  async function store(): Promise<void> {
    storing = true;
    await new Promise(setImmediate);
    while (gathered.length > 0) {
      const batch = gathered;
      gathered = [];
      await jobs.addBulk(batch.map(({ content }) => ({ name: NAME, data: content.toString() })));
      const last = batch[batch.length - 1];
      if (last !== undefined) channel.ack(last, true);
    }
    storing = false;
  }

  return (message) => {
    if (message === null) return;
    gathered.push(message);
    if (!storing) void store();
  };
}
