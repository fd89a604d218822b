import { OpenWork } from '../time/open-work';
import type { JobData } from './job';
import { Locks } from './locks';
import type { RetryHandler } from './retry-handler';
import type { RetryQueue } from './retry-queue';
import type { StoredCalls } from './retry-store';
import type { Held } from './stored-deliveries';

export interface RetryWorkerParts {
  readonly store: Pick<StoredCalls, 'isReady'>;
  readonly queue: Pick<RetryQueue, 'outlook' | 'fetch' | 'extend' | 'close'>;
  readonly handler: RetryHandler;
  readonly concurrency: number;
  /** Bytes of bodies that retries may hold at once. */
  readonly maxBytes: number;
  readonly onError: (error: unknown) => void;
}

/** Fetched side by side, and bytes after which no more are: what came begins before more is asked for. */
const TAKE_AT_ONCE = 50;
const TAKE_BYTES = 4 * 1024 * 1024;
/** How long to wait before asking again where nothing is due: others park, too. */
const IDLE_MS = 250;
/** Due now, but not taken: never ask in a tight loop. */
const LEAST_PAUSE_MS = 10;
/** How soon to ask again after Redis did not answer. */
const REDIS_RETRY_MS = 1_000;

/** Makes the retries: takes what is due, and delivers it by the same attempts as fresh events. */
export class RetryWorker {
  private readonly locks: Locks;
  private readonly open = new OpenWork();
  private bytes = 0;
  private draining = false;
  private looping: Promise<void> = Promise.resolve();
  private wake: () => void = () => {};
  /** Somebody knows that something is due. */
  private isExpected = false;

  constructor(private readonly parts: RetryWorkerParts) {
    const { queue, onError } = parts;
    this.locks = new Locks({ extend: (held) => queue.extend(held), onError });
  }

  start(): void {
    this.looping = this.loop();
  }

  /** Takes no more jobs; those under way go on. */
  async stopIntake(): Promise<void> {
    this.draining = true;
    this.parts.handler.drain();
    this.wake();
    await this.looping;
  }

  /** Resolves when no retry is under way any more; interrupt the attempts first where that must be soon. */
  async close(): Promise<void> {
    await this.stopIntake();
    await this.open.idle();
    await this.parts.handler.idle();
    this.locks.close();
    await this.parts.queue.close();
  }

  private async loop(): Promise<void> {
    while (!this.draining) {
      const pauseMs = this.hasRoom ? await this.takeSome() : IDLE_MS;
      if (pauseMs > 0 && !this.draining && !this.isExpected) await this.pause(pauseMs);
      this.isExpected = false;
    }
  }

  private get hasRoom(): boolean {
    return this.open.count < this.parts.concurrency && this.bytes < this.parts.maxBytes;
  }

  /** How long to wait before asking again. */
  private async takeSome(): Promise<number> {
    if (!this.parts.store.isReady) return REDIS_RETRY_MS;
    const deliveries = Math.min(TAKE_AT_ONCE, this.parts.concurrency - this.open.count);
    const bytes = Math.min(TAKE_BYTES, this.parts.maxBytes - this.bytes);
    try {
      const { fit, missing, nextInMs } = await this.parts.queue.outlook({ deliveries, bytes });
      for (const id of missing) this.parts.handler.missing(id);
      if (fit === 0) return Math.min(IDLE_MS, Math.max(LEAST_PAUSE_MS, nextInMs ?? IDLE_MS));
      return (await this.fetchSome(fit)) ? 0 : IDLE_MS;
    } catch (error) {
      this.parts.onError(error);
      return REDIS_RETRY_MS;
    }
  }

  /** Whether there was anything; rejects once all have ended where one failed. */
  private async fetchSome(count: number): Promise<boolean> {
    const fetches = await Promise.allSettled(Array.from({ length: count }, () => this.fetchOne()));
    for (const fetch of fetches) if (fetch.status === 'rejected') throw fetch.reason;
    return fetches.some((fetch) => fetch.status === 'fulfilled' && fetch.value);
  }

  /** It begins as soon as it is here, whatever becomes of the others. */
  private async fetchOne(): Promise<boolean> {
    const { handler } = this.parts;
    const fetched = await this.parts.queue.fetch();
    if (fetched === undefined) return false;
    if (fetched.kind === 'odd') {
      const { record } = fetched;
      void this.hold(record, 0, () => handler.setAside(record));
    } else {
      const { delivery } = fetched;
      void this.hold(delivery, bytesOf(delivery.data), async () => {
        await handler.process(delivery);
        // The next one of its lane is due now.
        if (delivery.data.q === 1) this.expect();
      });
    }
    return true;
  }

  private async hold(held: Held, bytes: number, work: () => Promise<void>): Promise<void> {
    this.open.begin();
    this.bytes += bytes;
    this.locks.hold(held);
    try {
      await work();
    } catch (error) {
      // Where it could not be put back its lock runs out.
      this.parts.onError(error);
    }
    this.locks.release(held);
    const waitsForRoom = !this.hasRoom;
    this.bytes -= bytes;
    this.open.end();
    if (waitsForRoom) this.wake();
  }

  private expect(): void {
    this.isExpected = true;
    this.wake();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** What a job takes while it is under way: its text from Redis, the body, and the body that is sent. */
function bytesOf({ b, l }: JobData): number {
  return b.length + 2 * l;
}
