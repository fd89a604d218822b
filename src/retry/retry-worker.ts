import { destinationKeyOf } from '../pipeline/delivery';
import { monotonicMs } from '../time/monotonic';
import { OpenWork } from '../time/open-work';
import type { JobData } from './job';
import type { Lines } from './lines';
import { Locks } from './locks';
import { Ramp } from './ramp';
import type { RetryHandler } from './retry-handler';
import type { Fetched, RetryQueue } from './retry-queue';
import type { StoredCalls } from './retry-store';
import type { Held } from './stored-deliveries';

export interface RetryWorkerParts {
  readonly store: Pick<StoredCalls, 'isReady'>;
  readonly queue: Pick<RetryQueue, 'next' | 'extend' | 'close'>;
  readonly lines: Lines;
  readonly handler: RetryHandler;
  readonly concurrency: number;
  /** When a fresh delivery came last, by the monotonic clock. */
  readonly freshAt: () => number;
  /** Bytes of records, as they come from Redis, that retries may hold at once; unpacked they are counted with all others (places.ts). */
  readonly maxBytes: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Taken by one call: what came begins before more is asked for. While some are prepared, others are on their way from Redis, and fresh
 * events come between: with 50 at once 100,000 drain a tenth slower, and everything else waits longer. Where Redis is far away, so
 * that calls and not places would be the limit, it is more.
 */
const TAKE = { atOnce: 16, fromFar: 50, farMs: 10 };
/** Bytes after which no more are taken. */
const TAKE_BYTES = 4 * 1024 * 1024;
/** How long to wait before asking again where nothing is due: others park, too. */
const IDLE_MS = 250;
/** Due now, but not taken: never ask in a tight loop. */
const LEAST_PAUSE_MS = 10;
/** How soon to ask again after Redis did not answer. */
const REDIS_RETRY_MS = 1_000;

/** Of a record that is no job. */
const NO_BODY = { b: '', l: 0 };

/** Makes the retries: takes what is due, and delivers it by the same attempts as fresh events. */
export class RetryWorker {
  private readonly locks: Locks;
  private readonly ramp: Ramp;
  private readonly open = new OpenWork();
  private bytes = 0;
  private draining = false;
  private looping: Promise<void> = Promise.resolve();
  private wake: () => void = () => {};
  /** Somebody knows that something is due. */
  private isExpected = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  /** How long Redis took to answer the last time. */
  private answerMs = 0;

  constructor(private readonly parts: RetryWorkerParts) {
    const { queue, handler, lines, concurrency, freshAt, onError } = parts;
    this.ramp = new Ramp(concurrency, freshAt);
    this.locks = new Locks({ extend: (held) => queue.extend(held), onError });
    // A place at a destination came free, for which something may wait.
    handler.onRoom(() => {
      if (!lines.isEmpty) this.wake();
    });
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

  private get gatherMs(): number {
    if (this.open.count > 1) return LEAST_PAUSE_MS;
    return Math.max(0, this.askedAt + LEAST_PAUSE_MS - monotonicMs());
  }

  private get hasRoom(): boolean {
    return this.freePlaces > 0 && this.bytes < this.parts.maxBytes;
  }

  private get freePlaces(): number {
    const { count } = this.open;
    return this.ramp.places(count) - count;
  }

  /** How long to wait before asking again. */
  private async takeSome(): Promise<number> {
    const { store, queue, lines, handler, maxBytes, onError } = this.parts;
    if (!store.isReady) return REDIS_RETRY_MS;
    this.askedAt = monotonicMs();
    try {
      const most = this.answerMs > TAKE.farMs ? TAKE.fromFar : TAKE.atOnce;
      const choice = await lines.choose(most, this.freePlaces);
      if (this.draining) return 0;
      const bytes = Math.min(TAKE_BYTES, maxBytes - this.bytes);
      const sentAt = monotonicMs();
      const { taken, left, lines: found, missing, nextInMs } = await queue.next({ ...choice, bytes });
      this.answerMs = monotonicMs() - sentAt;
      for (const id of missing) handler.missing(id);
      for (const each of taken) this.begin(each);
      for (const [key, count] of left) lines.left(key, count);
      if (lines.learn(found) || taken.length > 0) return 0;
      return Math.min(IDLE_MS, Math.max(LEAST_PAUSE_MS, nextInMs ?? IDLE_MS));
    } catch (error) {
      onError(error);
      return REDIS_RETRY_MS;
    }
  }

  /** It begins as soon as it is here, whatever becomes of the others. */
  private begin(fetched: Fetched): void {
    const { handler } = this.parts;
    if (fetched.kind === 'odd') {
      const { record } = fetched;
      void this.hold(record, NO_BODY, () => handler.setAside(record));
    } else {
      const { delivery } = fetched;
      void this.hold(delivery, delivery.data, async (onBegin) => {
        await handler.process(delivery, onBegin);
        // The next one of its lane is due now.
        if (delivery.data.q === 1) this.expect();
      });
    }
  }

  private async hold(
    held: Held,
    { b: { length: bytes }, l }: Pick<JobData, 'b' | 'l'>,
    work: (onBegin: () => void) => Promise<void>,
  ): Promise<void> {
    const { lines, onError } = this.parts;
    const key = destinationKeyOf(held.id);
    this.open.begin();
    this.bytes += bytes;
    this.locks.hold(held);
    const shares = lines.begin(key, l);
    let hasBegun = false;
    const onBegin = (): void => {
      if (!hasBegun) lines.begun(key);
      hasBegun = true;
    };
    try {
      await work(onBegin);
    } catch (error) {
      // Where it could not be put back its lock runs out.
      onError(error);
    }
    onBegin();
    lines.end(shares);
    this.locks.release(held);
    const waitsForRoom = !this.hasRoom || !lines.isEmpty;
    this.bytes -= bytes;
    this.open.end();
    if (waitsForRoom) this.wake();
  }

  private expect(): void {
    this.isExpected = true;
    this.wake();
  }

  /**
   * Woken early, it waits a little all the same: one call for several that end. What is taken together is under way together, which is
   * what an adaptive limit grows by. Where no other one is under way, as with a single lane, it only waits where it has just asked.
   */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let timer = setTimeout(resolve, ms);
      this.wake = () => {
        this.wake = () => {};
        clearTimeout(timer);
        timer = setTimeout(resolve, this.draining ? 0 : this.gatherMs);
      };
    });
  }
}
