import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bulkhead } from 'cockatiel';
import { errorCode } from '../errors';
import { monotonicMs } from '../time/monotonic';
import { batchesOf, type ReplayItemsParts } from './replay-items';
import {
  NO_PROGRESS,
  type Progress,
  type Replay,
  type ReplaySpec,
  type ReplayState,
  type ReplayStore,
} from './replay-store';

export interface ReplayRunnerParts extends ReplayItemsParts {
  readonly store: ReplayStore;
  readonly onError: (error: unknown) => void;
  /** Called after every batch. */
  readonly onProgress?: (progress: Progress) => void;
}

const LOOK_MS = 1000;
const WAIT_MS = 1000;
/** Of all replays: a batch holds bodies. */
const BATCHES_AT_ONCE = 4;
/** Redis may be away for this many tries of one batch; then the replay is left to the process that claims it next. */
const MOST_TRIES = 10;

/**
 * Works on replays: takes those that nobody works on, goes through each at its rate, and notes after each batch how far it is, so
 * that another process goes on there where this one ends.
 */
export class ReplayRunner {
  private readonly holder = randomBytes(9).toString('base64url');
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private readonly batches = bulkhead(BATCHES_AT_ONCE, Number.POSITIVE_INFINITY);

  constructor(private readonly parts: ReplayRunnerParts) {}

  /** Looks for replays from now on. */
  start(): void {
    this.running ??= this.loop();
  }

  /** Leaves what is under way where it is. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Works on this one, if nobody else does; how it is afterwards. */
  async run(id: string): Promise<Replay | undefined> {
    const { store } = this.parts;
    const replay = await store.claim(this.holder, id);
    if (replay !== undefined) await this.workOn(replay);
    return store.find(id);
  }

  /** What it would do, changing nothing. */
  async preview(spec: ReplaySpec): Promise<Omit<Progress, 'cursor'>> {
    let sum = NO_PROGRESS;
    for await (const batch of batchesOf(
      this.parts,
      { ...spec, perSecond: Number.MAX_SAFE_INTEGER },
      Date.now(),
      '',
    ))
      sum = added(sum, await batch.preview(), '');
    return sum;
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Each goes at its own rate, and may wait for its destination for long: none waits for another one to end. */
  private async loop(): Promise<void> {
    const { store, onError } = this.parts;
    const underWay = new Set<Promise<void>>();
    while (!this.isStopped) {
      try {
        const replay = store.isReady ? await store.claim(this.holder) : undefined;
        if (replay === undefined) await this.pause(LOOK_MS);
        else {
          const work = this.workOn(replay)
            .catch(onError)
            .finally(() => underWay.delete(work));
          underWay.add(work);
        }
      } catch (error) {
        onError(error);
        await this.pause(LOOK_MS);
      }
    }
    await Promise.all(underWay);
  }

  private async workOn(replay: Replay): Promise<void> {
    const { store, onError } = this.parts;
    const { id } = replay;
    try {
      const state = await this.go(replay);
      if (state === 'running' && !this.isStopped) await store.end(id, 'done');
    } catch (error) {
      onError(error);
      // Its specification, or what it goes through, cannot be read: trying again would not help.
      if (store.isReady) await store.end(id, 'failed', errorCode(error));
    } finally {
      await store.release(id, this.holder).catch(onError);
    }
  }

  private async go({ id, spec, begun, progress }: Replay): Promise<ReplayState | 'lost'> {
    const { store, onProgress } = this.parts;
    let sum = progress;
    for await (const batch of batchesOf(this.parts, spec, begun, sum.cursor)) {
      const begunAt = monotonicMs();
      const counts = await this.replayed(id, sum, () => batch.replay());
      if (typeof counts === 'string') return counts;
      sum = added(sum, counts, batch.cursor);
      const state = await store.step(id, this.holder, sum);
      onProgress?.(sum);
      if (state !== 'running' || this.isStopped) return state;
      await this.pause((counts.replayed * 1000) / spec.perSecond - (monotonicMs() - begunAt));
    }
    return 'running';
  }

  /** Waits where the destination has as much waiting as it should, and where Redis is away for a while. */
  private async replayed(
    id: string,
    sum: Progress,
    replay: () => Promise<Omit<Progress, 'cursor'> | undefined>,
  ): Promise<Omit<Progress, 'cursor'> | ReplayState | 'lost'> {
    for (let tries = 0; ; ) {
      try {
        const counts = await this.batches.execute(replay);
        if (counts !== undefined) return counts;
      } catch (error) {
        if (++tries === MOST_TRIES) throw error;
        this.parts.onError(error);
      }
      await this.pause(WAIT_MS);
      const state = await this.parts.store.step(id, this.holder, sum).catch(() => 'running' as const);
      if (state !== 'running' || this.isStopped) return state;
    }
  }

  private async pause(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, undefined, { signal: this.stopping.signal }).catch(() => {});
  }
}

function added(sum: Progress, counts: Omit<Progress, 'cursor'>, cursor: string): Progress {
  return {
    seen: sum.seen + counts.seen,
    replayed: sum.replayed + counts.replayed,
    withoutBody: sum.withoutBody + counts.withoutBody,
    needless: sum.needless + counts.needless,
    cursor,
  };
}
