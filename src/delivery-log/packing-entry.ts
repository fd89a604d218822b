import { parentPort } from 'node:worker_threads';
import type { BatchContents } from './batch-records';
import { packedForOthers } from './packed-segment';

/** What the thread runs that packs segments (packing-thread.ts): each message is a batch, and is answered in its turn. */
parentPort?.on('message', (contents: BatchContents) => {
  const segment = packedForOthers(contents);
  parentPort?.postMessage(segment, [segment.bytes.buffer]);
});
