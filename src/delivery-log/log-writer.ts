import { randomBytes } from 'node:crypto';
import { COMPRESSION, compress } from '../events/compression';
import { monotonicMs } from '../time/monotonic';
import { ChunkSummary } from './chunk-summary';
import type { Noted } from './log-notes';
import { CHUNK_MS, LogSegment, type NewRecord, SEGMENT_ROWS } from './log-segment';
import {
  type ChunkWrite,
  EARLIER_MS,
  type LogLimits,
  type LogStore,
  type LogSums,
  type RedisMemory,
} from './log-store';

/** Why records are not logged. `thinned`: the buffer is half full, and plain successes give way to what went wrong. */
export type SkipReason = 'thinned' | 'buffer-full' | 'redis' | 'memory';

export interface LogWriterParts {
  readonly limits: LogLimits;
  readonly onSkipped: (reason: SkipReason, count: number) => void;
  readonly onError: (error: unknown) => void;
  /** How long records wait for others that are written with them. */
  readonly flushMs?: number;
}

/** What is open in Redis and takes further records. */
interface Chunk {
  readonly id: string;
  readonly from: number;
  readonly summary: ChunkSummary;
  rows: number;
}

type Store = Pick<LogStore, 'isReady' | 'write' | 'trim' | 'memory'>;

const FLUSH_MS = 1000;
/** Records that are made one after the other: of each alone, code and columns have left the processor's caches since the one before. */
const TOGETHER = 32;
/** An event that is not held until other records come, in bytes. */
const LARGE = 65_536;
/** Segments that wait, each of 100 KB: three megabytes, and more than a second of a worker's full speed. */
const MAX_WAITING = 32;
/** Segments that are written together: a turn of the event loop takes 30 ms where the processor is short, and each segment several. */
const AT_ONCE = 2;
/** Of bodies that wait. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MEMORY_CHECK_MS = 5000;
const TRIM_MS = 60_000;
const TRIM_AT_ONCE = 64;
/** After a failed call Redis is left alone for this long. */
const PAUSE_MS = 2000;
/** Of `maxmemory`: beyond this nothing is logged, beyond that the log gives its own memory back. */
const STOP_AT = 0.8;
const GIVE_BACK_AT = 0.9;
/** Of `maxmemory`: the log takes no more, whatever its own limit says. */
const MOST_OF_REDIS = 0.25;

/**
 * Takes records at once, and writes them to Redis behind everybody's back: a few calls under way,
 * nothing awaited. What Redis does not take in time is skipped and counted; no delivery ever waits for its record.
 */
export class LogWriter {
  private readonly workerId = randomBytes(5).toString('base64url');
  private current = new LogSegment();
  private readonly noted: Noted[] = [];
  private readonly waiting: LogSegment[] = [];
  private readonly spare: LogSegment[] = [];
  private store: Store | undefined;
  private chunk: Chunk | undefined;
  private chunksMade = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private skipped = 0;
  private bodyBytes = 0;
  private memory: RedisMemory = { used: 0, max: 0 };
  private memoryAt = Number.NEGATIVE_INFINITY;
  private trimAt = Number.NEGATIVE_INFINITY;
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private closed = false;

  constructor(private readonly parts: LogWriterParts) {}

  /** From now on it writes there. */
  open(store: Store): void {
    this.store = store;
    this.wake();
  }

  /** Whether a body of this size can be kept until it is written. */
  hasRoomForBody(bytes: number): boolean {
    return this.bodyBytes + bytes <= MAX_BODY_BYTES;
  }

  note(added: Noted): void {
    if (this.closed) return;
    const { noted } = this;
    noted.push(added);
    if (noted.length === TOGETHER || added.bytes > LARGE) this.takeNoted();
    this.wake();
  }

  private takeNoted(): void {
    for (const each of this.noted.splice(0)) this.take(each.record());
  }

  private take(added: NewRecord): void {
    if (this.isFull) return this.skip('memory', 1);
    const { what, attempt } = added.entry;
    const isPlain = what === 'delivered' && attempt <= 1;
    if (isPlain && this.waiting.length >= MAX_WAITING / 2) return this.skip('thinned', 1);
    if (!this.add(added)) {
      if (this.waiting.length >= MAX_WAITING) return this.skip('buffer-full', 1);
      this.seal();
      if (this.writing === undefined) this.begin();
      if (!this.add(added)) return this.skip('buffer-full', 1);
    }
  }

  /** Writes what waits, for as long as Redis takes it. */
  async close(): Promise<void> {
    this.closed = true;
    this.takeNoted();
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.writing;
    this.pausedUntil = Number.NEGATIVE_INFINITY;
    await this.writeAll();
  }

  private get isFull(): boolean {
    const { used, max } = this.memory;
    return max > 0 && used > max * STOP_AT;
  }

  private add(added: NewRecord): boolean {
    const before = this.current.bodyBytes;
    const isAdded = this.current.add(added);
    this.bodyBytes += this.current.bodyBytes - before;
    return isAdded;
  }

  /** The segment waits to be written; what comes goes into another one. */
  private seal(): void {
    this.waiting.push(this.current);
    this.current = this.spare.pop() ?? new LogSegment();
  }

  /** Also where nothing is to be written: what is too old goes, and memory that was short may be there again. */
  private wake(): void {
    if (this.closed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.writing === undefined) this.begin();
    }, this.parts.flushMs ?? FLUSH_MS);
  }

  private begin(): void {
    this.writing = this.writeAll().finally(() => {
      this.writing = undefined;
      if (this.store !== undefined) this.wake();
    });
  }

  private async writeAll(): Promise<void> {
    const { store } = this;
    if (store === undefined || monotonicMs() < this.pausedUntil || !store.isReady) return;
    try {
      await this.look(store);
      this.takeNoted();
      if (this.current.rows > 0) this.seal();
      while (this.waiting.length > 0) await this.write(store, this.waiting.splice(0, AT_ONCE));
    } catch (error) {
      this.pausedUntil = monotonicMs() + PAUSE_MS;
      this.parts.onError(error);
    }
  }

  private async write(store: Store, segments: readonly LogSegment[]): Promise<void> {
    const packing = segments.map((segment) => ({ segment, packed: packedOf(segment) }));
    // All are there before the first is sent, so that they are sent in their order.
    await Promise.allSettled(packing.map(({ packed }) => packed));
    const sent = await Promise.allSettled(packing.map((each) => this.send(store, each)));
    const failed = sent.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const { maxRows, maxBytes } = this.limits;
    const isBeyond = (each: (typeof sent)[number]): boolean =>
      each.status === 'fulfilled' && (each.value.rows > maxRows || each.value.bytes > maxBytes);
    if (sent.some(isBeyond)) await this.trim(store);
  }

  /** Where the call fails its rows may be there or not: they count as skipped, and nothing is added to their chunk any more. */
  private async send(store: Store, { segment, packed }: Packing): Promise<LogSums> {
    const { rows, to } = segment;
    const { skipped } = this;
    const chunk = this.chunkFor(segment);
    chunk.rows += rows;
    this.skipped = 0;
    try {
      const { columns, bodies } = await packed;
      const keepMs = Math.ceil(this.parts.limits.maxAgeMs + 2 * CHUNK_MS);
      const { id, from, summary } = chunk;
      summary.add(segment);
      const fields = { columns, summaries: summary.fields(), bodies };
      return await store.write({ chunk: id, from, to, rows, keepMs, skipped, ...fields });
    } catch (error) {
      if (this.chunk === chunk) this.chunk = undefined;
      this.skipped += skipped;
      this.skip('redis', rows);
      throw error;
    } finally {
      this.release(segment);
    }
  }

  private release(segment: LogSegment): void {
    this.bodyBytes -= segment.bodyBytes;
    segment.clear();
    if (this.spare.length < MAX_WAITING / 4) this.spare.push(segment);
  }

  private chunkFor({ rows, from, to }: LogSegment): Chunk {
    const { chunk } = this;
    const isNear = chunk !== undefined && to - chunk.from < CHUNK_MS && from > chunk.from - EARLIER_MS;
    if (isNear && chunk.rows + rows <= SEGMENT_ROWS) return chunk;
    const id = `${from.toString(36)}-${this.workerId}${(this.chunksMade++).toString(36)}`;
    this.chunk = { id, from, summary: new ChunkSummary(), rows: 0 };
    return this.chunk;
  }

  private get limits(): LogLimits {
    const { limits } = this.parts;
    const { max } = this.memory;
    const maxBytes = max === 0 ? limits.maxBytes : Math.min(limits.maxBytes, max * MOST_OF_REDIS);
    return { ...limits, maxBytes: Math.floor(maxBytes) };
  }

  /** The log must never be what fills Redis: parked deliveries lie there. */
  private async look(store: Store): Promise<void> {
    const now = monotonicMs();
    if (now - this.memoryAt >= MEMORY_CHECK_MS) {
      this.memoryAt = now;
      this.memory = await store.memory();
      const { used, max } = this.memory;
      if (max > 0 && used > max * GIVE_BACK_AT) await store.trim(this.limits, TRIM_AT_ONCE, TRIM_AT_ONCE);
    }
    if (now - this.trimAt >= TRIM_MS) {
      this.trimAt = now;
      await this.trim(store);
    }
  }

  private async trim(store: Store): Promise<void> {
    // A step that removes as much as it may leaves more to do.
    for (let steps = 0; steps < 10; steps++)
      if ((await store.trim(this.limits, TRIM_AT_ONCE)) < TRIM_AT_ONCE) return;
  }

  private skip(reason: SkipReason, count: number): void {
    this.skipped += count;
    this.parts.onSkipped(reason, count);
  }
}

interface Packing {
  readonly segment: LogSegment;
  readonly packed: ReturnType<typeof packedOf>;
}

/** What is written of it: names and bytes, the bodies compressed. */
async function packedOf(segment: LogSegment): Promise<Pick<ChunkWrite, 'columns' | 'bodies'>> {
  const columns = [...segment.columnBytes(), 'lines', segment.block()];
  return { columns, bodies: await bodiesOf(segment) };
}

/** Name and bytes of each body: version of the compression, length, and what it was compressed to. */
async function bodiesOf({ bodies }: LogSegment): Promise<(string | Buffer)[]> {
  const flat: (string | Buffer)[] = [];
  for (const [event, body] of bodies) {
    const head = Buffer.alloc(5);
    head.writeUInt8(COMPRESSION);
    head.writeUInt32LE(body.length, 1);
    flat.push(`body:${event}`, Buffer.concat([head, Buffer.from(await compress(body), 'base64')]));
  }
  return flat;
}
