import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RelayError } from '../errors';
import type { BatchContents } from './batch-records';
import { type HandedSegment, type PackedSegment, received } from './packed-segment';

/** As it is built; sources are run by what compiles them on one thread. */
const ENTRY = join(__dirname, 'packing-entry.js');
/** It makes little that lives for long: as much as one batch takes, a few times. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

class ThreadEndedError extends RelayError {
  constructor(options?: ErrorOptions) {
    super('THREAD_ENDED', 'the thread that packs the delivery log has ended', options);
  }
}

interface Pending {
  resolve(packed: PackedSegment): void;
  reject(error: unknown): void;
}

/** A thread that packs segments, so that the one on which deliveries are made has more of its time for them. */
export class PackingThread {
  private readonly worker: Worker;
  /** It answers in the order in which it is asked. */
  private readonly pending: Pending[] = [];
  private failure: Error | undefined;

  /** @param entry a program that answers each `BatchContents` with a `HandedSegment` */
  constructor(entry = ENTRY) {
    // Without this process's environment and options: it needs nothing of them.
    this.worker = new Worker(entry, { env: {}, execArgv: [], resourceLimits: LIMITS });
    this.worker.on('message', (segment: HandedSegment) => this.pending.shift()?.resolve(received(segment)));
    this.worker.once('error', (cause) => this.fail(new ThreadEndedError({ cause })));
    this.worker.once('exit', () => this.fail(new ThreadEndedError()));
  }

  pack(contents: BatchContents): Promise<PackedSegment> {
    const { failure } = this;
    if (failure !== undefined) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      this.pending.push({ resolve, reject });
      this.worker.postMessage(contents);
    });
  }

  /** What it was asked for and has not answered fails. */
  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.pending.splice(0)) reject(this.failure);
  }
}
