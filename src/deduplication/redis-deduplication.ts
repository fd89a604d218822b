import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreUnavailableError } from '../errors';
import type { EventId } from '../events/event-id';
import type { Deduplication } from '../pipeline/deduplication';
import type { RetryStore } from '../retry/retry-store';
import { SlotMap } from '../slot-map';

export interface RedisDeduplicationParts {
  readonly store: Pick<RetryStore, 'run' | 'prefix'>;
  /** How long an event that is done is remembered. */
  readonly rememberMs: number;
  readonly onError: (error: unknown) => void;
  /** How long a claim outlasts a worker that was killed. */
  readonly leaseMs?: number;
}

type Answer = 'fresh' | 'seen' | 'busy';

/** A claim that is asked for. */
interface Wanted {
  readonly id: EventId;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const DRAINING = 'the worker is draining';
const ANSWERS: readonly Answer[] = ['fresh', 'seen', 'busy'];
const LEASE_MS = 30_000;
const RENEWALS_PER_LEASE = 3;
/** Ids in one call. */
const BATCH = 500;
const PAUSE_FIRST_MS = 50;
const PAUSE_LAST_MS = 1000;
const AWAY_PAUSE_MS = 500;
/** Events that are done and could not be written down while Redis was away; the oldest are forgotten beyond this. */
const MAX_UNWRITTEN = 100_000;

/**
 * Claims in Redis, those of one turn of the event loop in one call. An event is written down as seen only after it was
 * done, without waiting for that: until then the claim keeps other copies waiting, and a worker that is killed in
 * between lets another copy go on once its lease is over.
 */
export class RedisDeduplication implements Deduplication {
  private readonly token = randomBytes(9).toString('base64url');
  private readonly leaseMs: number;
  private readonly key: string;
  private wanted: Wanted[] = [];
  /** Events that are done and not written down, the oldest first. */
  private unwritten: EventId[] = [];
  /** The same ones, and those that are being written. */
  private readonly seen = new SlotMap<EventId, true>();
  private givenUp: EventId[] = [];
  /** Claims held here, and those in this process that wait for what becomes of them. */
  private readonly held = new SlotMap<EventId, (() => void)[]>();
  private readonly draining = new AbortController();
  private renewal: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(private readonly parts: RedisDeduplicationParts) {
    this.leaseMs = parts.leaseMs ?? LEASE_MS;
    this.key = `${parts.store.prefix}:seen`;
  }

  async claim(id: EventId): Promise<'fresh' | 'seen'> {
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(PAUSE_LAST_MS, pauseMs * 2)) {
      // Another copy in this process is waited for without asking Redis.
      for (let line = this.held.get(id); line !== undefined; line = this.held.get(id))
        await this.queueUp(line);
      this.throwIfDraining();
      if (this.seen.has(id)) return 'seen';
      this.held.set(id, []);
      const answer = await this.ask(id);
      if (answer === 'fresh') return answer;
      this.letNext(id);
      if (answer === 'seen') return answer;
      await this.pause(pauseMs);
    }
  }

  done(id: EventId): void {
    this.unwritten.push(id);
    this.seen.set(id, true);
    this.writeSoon();
  }

  released(id: EventId): void {
    this.givenUp.push(id);
    this.writeSoon();
  }

  /** Rejects all pending claims. Claims that are held can still be ended. */
  drain(): void {
    this.draining.abort();
    for (const { id, reject } of this.wanted.splice(0)) {
      reject(new StoreUnavailableError(DRAINING));
      this.letNext(id);
    }
    for (const [, line] of this.held.entries()) for (const go of line.splice(0)) go();
  }

  /** Writes down what is not written yet. */
  async close(): Promise<void> {
    this.drain();
    clearInterval(this.renewal);
    await this.writing;
    await this.write();
  }

  private queueUp(line: (() => void)[]): Promise<void> {
    this.throwIfDraining();
    return new Promise((resolve) => line.push(resolve));
  }

  private letNext(id: EventId): void {
    const line = this.held.get(id) ?? [];
    this.held.delete(id);
    for (const go of line) go();
  }

  private ask(id: EventId): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.wanted.push({ id, resolve, reject });
      if (this.wanted.length === 1) setImmediate(() => void this.askAll());
    });
  }

  private async askAll(): Promise<void> {
    const wanted = this.wanted.splice(0);
    for (let start = 0; start < wanted.length; start += BATCH)
      await this.askBatch(wanted.slice(start, start + BATCH));
  }

  /** While Redis is away everything that is held waits: the brokers keep the rest. */
  private async askBatch(wanted: readonly Wanted[]): Promise<void> {
    const ids = wanted.map(({ id }) => id);
    for (;;) {
      try {
        const answers = (await this.run('relayClaim', [this.token, this.leaseMs, ...ids])) as unknown[];
        for (const [index, { resolve }] of wanted.entries())
          resolve(ANSWERS[Number(answers[index])] ?? 'busy');
        this.renewal ??= setInterval(() => void this.renew(), this.leaseMs / RENEWALS_PER_LEASE);
        return;
      } catch (error) {
        this.parts.onError(error);
      }
      try {
        await this.pause(AWAY_PAUSE_MS);
      } catch (error) {
        for (const { id, reject } of wanted) {
          reject(error);
          this.letNext(id);
        }
        return;
      }
    }
  }

  /** What ends in the same turn of the event loop is written in one call. */
  private writeSoon(): void {
    this.writing ??= new Promise<void>(setImmediate)
      .then(() => this.write())
      .finally(() => {
        this.writing = undefined;
      });
  }

  private async write(): Promise<void> {
    while (this.unwritten.length + this.givenUp.length > 0) {
      const [seen, free] = [this.unwritten, this.givenUp];
      this.unwritten = [];
      this.givenUp = [];
      try {
        await this.inBatches(seen, (ids) => this.run('relaySeen', [this.parts.rememberMs, ...ids]));
        await this.inBatches(free, (ids) => this.run('relayUnclaim', [this.token, ...ids]));
      } catch (error) {
        this.parts.onError(error);
        this.putBack(seen);
        for (const id of [...seen, ...free]) this.letNext(id);
        // Written with the next ones; what was given up is free when its lease is over.
        return;
      }
      for (const id of seen) this.seen.delete(id);
      for (const id of [...seen, ...free]) this.letNext(id);
    }
  }

  private putBack(ids: readonly EventId[]): void {
    const all = [...ids, ...this.unwritten];
    const tooMany = Math.max(0, all.length - MAX_UNWRITTEN);
    for (const id of all.slice(0, tooMany)) this.seen.delete(id);
    this.unwritten = all.slice(tooMany);
  }

  private async renew(): Promise<void> {
    try {
      await this.inBatches(
        this.held.entries().map(([id]) => id),
        (ids) => this.run('relayRenew', [this.token, this.leaseMs, ...ids]),
      );
      if (this.unwritten.length > 0) this.writeSoon();
    } catch (error) {
      this.parts.onError(error);
    }
  }

  private async inBatches(
    ids: readonly EventId[],
    work: (ids: readonly EventId[]) => Promise<unknown>,
  ): Promise<void> {
    for (let start = 0; start < ids.length; start += BATCH) await work(ids.slice(start, start + BATCH));
  }

  private run(
    script: 'relayClaim' | 'relaySeen' | 'relayUnclaim' | 'relayRenew',
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.parts.store.run(script, [this.key, ...args]);
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.draining.signal }).catch(() => {});
    this.throwIfDraining();
  }

  private throwIfDraining(): void {
    if (this.draining.signal.aborted) throw new StoreUnavailableError(DRAINING);
  }
}
