import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { errorCode, errorText, StoreUnavailableError } from '../errors';
import type { Logger } from '../observability/logging';
import { monotonicMs } from '../time/monotonic';
import { endsWithin } from '../time/within';
import type { RelayRedis } from './relay-redis';
import { isReplyError } from './reply-error';
import { defineScripts } from './scripts';
import { SilentConnectionError } from './socket-watch';
import { changeOf, type KnownStore, type StoreChange, storeMarkKey } from './store-mark';
import { writeStoreVersion } from './store-version';

export interface RedisHealthParts {
  /** For commands: whether its writes are answered is what is watched. */
  readonly redis: RelayRedis;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly log: Logger;
  /** What lies in the store, by name: for the message when it is lost. */
  readonly counts: () => Promise<Readonly<Record<string, number>>>;
  /** The store is not the one that it was. */
  readonly onStoreLost: () => void;
  /** A later version of the relay has taken the store over while this process ran: nothing of it may be touched any more. */
  readonly onStoreNewer: () => void;
}

/** For `/readyz`. */
export interface RedisState {
  readonly ready: boolean;
  readonly detail: string;
}

type Health =
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'refusing'; readonly reason: string }
  /** A later version of the relay stored what lies there: for good. */
  | { readonly kind: 'newer'; readonly reason: string }
  | { readonly kind: 'answering' };

interface Loss {
  readonly text: string;
  readonly at: number;
}

const BEAT_MS = 3000;
/** A start waits for the first beat no longer than this. */
const FIRST_BEAT_MS = 2000;
/** How long a process that is gone is remembered. */
const BEAT_SECONDS = 86_400;
/** How long a loss stays in the readiness detail. */
const SHOWN_MS = 600_000;
const MAX_REASON = 200;

/**
 * Whether Redis answers a real write at this moment. Every few seconds one key of this process is written, which notices
 * silence, a full or read-only Redis, one that cannot save and one that forbids a command alike; an open socket says nothing of that. The same
 * question recognises the store by its mark, and notices at once when it is another one.
 */
export class RedisHealth {
  private readonly processId = randomBytes(9).toString('base64url');
  private health: Health = { kind: 'waiting', reason: 'not connected yet' };
  private known: KnownStore | undefined;
  private counts: Readonly<Record<string, number>> = {};
  private loss: Loss | undefined;
  private knownAt = 0;
  private beats = 0;
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private asking: Promise<void> | undefined;
  private closed = false;
  /** During the start `firstBeat` throws what is wrong, and this process is not asked to end. */
  private isStarting = true;
  private readonly onReady = (): void => this.beatSoon();
  /** Why the connection ended, where that is known: calls that it takes with it only say that it did. */
  private broken: Error | undefined;
  private readonly onClose = (): void => {
    const reason = this.broken === undefined ? 'the connection was closed' : reasonOf(this.broken);
    this.enter({ kind: 'waiting', reason });
  };
  private readonly onError = (error: Error): void => {
    this.broken = error;
    if (this.health.kind === 'waiting') this.health = { kind: 'waiting', reason: reasonOf(error) };
  };

  constructor(private readonly parts: RedisHealthParts) {
    defineScripts(parts.redis);
  }

  start(): void {
    const { redis } = this.parts;
    redis.on('ready', this.onReady);
    redis.on('close', this.onClose);
    redis.on('error', this.onError);
    this.timer = setInterval(() => this.beatSoon(), BEAT_MS);
    if (redis.status === 'ready') this.beatSoon();
  }

  /**
   * Waits for the first beat where Redis answers; where it is away, it is looked at when it is there.
   *
   * @throws StoreUnavailableError where a later version of the relay stored what lies there
   */
  async firstBeat(): Promise<void> {
    const { redis } = this.parts;
    const signal = AbortSignal.timeout(FIRST_BEAT_MS);
    if (redis.status !== 'ready')
      await endsWithin(
        Promise.race([once(redis, 'ready', { signal }), once(redis, 'close', { signal })]),
        FIRST_BEAT_MS,
      );
    if (this.asking !== undefined) await endsWithin(this.asking, FIRST_BEAT_MS);
    this.isStarting = false;
    if (this.health.kind === 'newer') throw new StoreUnavailableError(this.health.reason);
  }

  get state(): RedisState {
    const { health } = this;
    if (health.kind === 'newer') return { ready: false, detail: health.reason };
    if (health.kind === 'waiting') return { ready: false, detail: `waiting for redis: ${health.reason}` };
    if (health.kind === 'refusing') return { ready: false, detail: `redis refuses writes: ${health.reason}` };
    const { loss } = this;
    const isRecent = loss !== undefined && monotonicMs() - loss.at < SHOWN_MS;
    return { ready: true, detail: isRecent ? `ready; ${loss.text}` : 'ready' };
  }

  async stop(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    this.parts.redis.off('ready', this.onReady);
    this.parts.redis.off('close', this.onClose);
    this.parts.redis.off('error', this.onError);
    await this.beating;
  }

  private beatSoon(): void {
    this.beating ??= this.beat().finally(() => {
      this.beating = undefined;
    });
  }

  private async beat(): Promise<void> {
    // The end of the connection was reported when it happened (`onClose`).
    if (this.parts.redis.status !== 'ready' || this.health.kind === 'newer') return;
    this.asking = this.ask();
    await this.asking;
    if (this.state.ready) await this.count().catch(() => {});
  }

  /** Where the store was emptied or replaced meanwhile, what was counted is not what was lost. */
  private async count(): Promise<void> {
    const { redis, prefix, counts } = this.parts;
    const found = await counts();
    if ((await redis.get(storeMarkKey(prefix))) === this.known?.mark) this.counts = found;
  }

  private async ask(): Promise<void> {
    const { redis } = this.parts;
    try {
      const health = await this.write().catch((error: unknown) => {
        // A process that stood still for long gives up calls whose answers have come: asked again, Redis answers.
        if (isReplyError(error) || redis.status !== 'ready') throw error;
        return this.write();
      });
      this.broken = undefined;
      this.enter(health);
    } catch (error) {
      const isRefused = isReplyError(error);
      const reason = reasonOf(isRefused ? error : (this.broken ?? error));
      this.enter({ kind: isRefused ? 'refusing' : 'waiting', reason });
    }
  }

  /** One write, and the mark as it was before and is after; nothing is written where a later version did. */
  private async write(): Promise<Health> {
    const { redis, prefix } = this.parts;
    const newer = await writeStoreVersion(redis, prefix);
    if (newer !== undefined) return { kind: 'newer', reason: newer };
    const [beatKey, markKey] = [`{${prefix}}:beat:${this.processId}`, storeMarkKey(prefix)];
    const beat = ++this.beats;
    const mark = randomBytes(9).toString('base64url');
    const replies = await redis
      .pipeline()
      .get(beatKey)
      .get(markKey)
      .set(beatKey, beat, 'EX', BEAT_SECONDS)
      .set(markKey, mark, 'NX')
      .get(markKey)
      .exec();
    const failure = replies?.find(([error]) => error !== null)?.[0];
    if (failure) throw failure;
    const [lastBeat, found, , , now] = (replies ?? []).map(([, reply]) => reply as string | null);
    this.notice(changeOf(this.known, { mark: found ?? undefined, beat: this.beatIn(lastBeat) }));
    this.known = { mark: now ?? mark, beat };
    this.knownAt = monotonicMs();
    await this.probe(`{${prefix}}:probe:${this.processId}`);
    return { kind: 'answering' };
  }

  /** A command that is forbidden stops steps halfway through: they are named before a delivery meets them. */
  private async probe(keys: string): Promise<void> {
    const { redis } = this.parts;
    const commands = redis as unknown as { relayProbe: (keys: string) => Promise<unknown> };
    await commands.relayProbe(keys);
  }

  /** After an absence that is longer than beats are kept, the last one is taken to be there. */
  private beatIn(text: string | null | undefined): number | undefined {
    if (typeof text === 'string') return Number(text);
    const isKept = monotonicMs() - this.knownAt < (BEAT_SECONDS * 1000) / 2;
    return isKept ? undefined : this.known?.beat;
  }

  private notice(change: StoreChange): void {
    if (change === 'none') return;
    const { log, onStoreLost } = this.parts;
    const lost = Object.entries(this.counts).map(([name, count]) => `${count} ${name}`);
    const text = `${CHANGES[change]}; as last seen it had ${lost.join(', ') || 'nothing that was counted'}`;
    this.loss = { text, at: monotonicMs() };
    log.error(text, { ...this.counts });
    onStoreLost();
  }

  private leave(reason: string): void {
    if (this.isStarting) return;
    this.parts.log.error(`this process ends: ${reason}`);
    this.parts.onStoreNewer();
  }

  private enter(health: Health): void {
    const { log } = this.parts;
    const before = this.health;
    if (before.kind === 'newer') return;
    this.health = health;
    if (this.closed || before.kind === health.kind) return;
    if (health.kind === 'answering') log.info('redis answers');
    else if (health.kind === 'newer') this.leave(health.reason);
    else
      log.warn(health.kind === 'waiting' ? 'redis does not answer' : 'redis refuses writes', {
        reason: health.reason,
      });
  }
}

/** Readiness is answered without a key: with Redis's own words and ours, but no library's, which name addresses. */
function reasonOf(error: unknown): string {
  const isOurs =
    isReplyError(error) || error instanceof SilentConnectionError || error instanceof StoreUnavailableError;
  return (isOurs ? errorText(error) : errorCode(error)).slice(0, MAX_REASON);
}

const CHANGES: Readonly<Record<Exclude<StoreChange, 'none'>, string>> = {
  empty: 'redis has lost everything that the relay stored (flushed, or started without its data)',
  another: 'redis is not the one that it was: what the relay stored in the other one is not here',
  older:
    'redis has gone back to an older copy: what was stored since is lost, what was done since may be done again',
};
