import type * as BullMq from 'bullmq';
import type { Queue, QueueOptions, Worker, WorkerOptions } from 'bullmq';

/*
 * The only file that knows where BullMQ keeps its parts. Its index loads another database and clients of other libraries as well:
 * a megabyte that no process of ours has a use for. The version is exact in package.json, and a test holds these parts against
 * those of the index (bullmq-parts.test.ts).
 */
const { Queue: QueueClass }: Pick<typeof BullMq, 'Queue'> = require('bullmq/dist/cjs/classes/queue');
const { Worker: WorkerClass }: Pick<typeof BullMq, 'Worker'> = require('bullmq/dist/cjs/classes/worker');
const {
  createRedisBackend,
}: Pick<typeof BullMq, 'createRedisBackend'> = require('bullmq/dist/cjs/utils/create-backend');

export const {
  createIORedisClient,
}: Pick<typeof BullMq, 'createIORedisClient'> = require('bullmq/dist/cjs/classes/ioredis-client');

export function makeQueue<Data>(name: string, options: QueueOptions): Queue<Data> {
  return new QueueClass<Data>(name, options);
}

/** One that takes jobs by hand. By its own factory it would open another connection, to block on. */
export function makeWorker(name: string, options: WorkerOptions): Worker<unknown> {
  return new WorkerClass<unknown>(name, null, options, (queue, opts) => createRedisBackend(queue, opts));
}
