import { fromStore, StoreUnavailableError } from '../errors';
import type { RelayRedis } from '../redis/relay-redis';
import { defineScripts } from '../redis/scripts';
import { type Column, FIRST, WITH_BODY } from './log-segment';

/** How much of the log may stay. */
export interface LogLimits {
  readonly maxAgeMs: number;
  readonly maxRows: number;
  readonly maxBytes: number;
}

export interface LogStoreParts {
  /** For commands: fails at once while Redis is away. */
  readonly redis: RelayRedis;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
}

/** Rows that are added to a chunk. */
export interface ChunkWrite {
  readonly chunk: string;
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly keepMs: number;
  /** Records that were skipped before. */
  readonly skipped: number;
  /** Name and bytes of each column. */
  readonly columns: readonly (string | Buffer)[];
  /** Name and bytes of each body. */
  readonly bodies: readonly (string | Buffer)[];
}

export interface LogSums {
  readonly rows: number;
  readonly bytes: number;
}

/** What the log covers, and what is missing within. */
export interface Coverage {
  /** Epoch milliseconds; undefined where nothing was logged yet. */
  readonly since: number | undefined;
  /** Records skipped within the time that was asked for, hour by hour. */
  readonly skipped: number;
}

export interface RedisMemory {
  readonly used: number;
  /** 0: no limit. */
  readonly max: number;
}

/** What a chunk must hold so that it is of interest. */
export interface Wanted {
  /** One of the values must stand in one of the columns, of each clue. */
  readonly clues: readonly { readonly columns: readonly Column[]; readonly values: readonly number[] }[];
  /** Something beside deliveries that the first attempt delivered. */
  readonly unusual: boolean;
}

export type Field = Column | 'what' | 'lines' | `body:${string}`;

const HOUR_MS = 3_600_000;
/** No chunk takes records for longer, so that chunks can be chosen by their first record. */
export const CHUNK_MS = HOUR_MS;
/** A record may be this much older than the chunk that it is in: it says when its attempt began. */
export const EARLIER_MS = 660_000;
/** Chunks read by one call: half a megabyte for each column. */
export const AT_ONCE = 256;

/** Lua's pattern of a column `what` in which something beside plain successes stands: these are the first of HAPPENINGS, 0. */
const UNUSUAL = `[^${String.fromCharCode(FIRST, FIRST | WITH_BODY)}]`;

type Scripts = Readonly<
  Record<
    'relayLogWrite' | 'relayLogTrim' | 'relayLogHolding',
    (args: readonly unknown[]) => Promise<unknown>
  > &
    Record<'relayLogFieldsBuffer', (args: readonly unknown[]) => Promise<Buffer[]>>
>;

/** The delivery log in Redis: chunks of some hundred records, each with columns that say what is in it. */
export class LogStore {
  private readonly prefix: string;
  private readonly scripts: Scripts;

  constructor(private readonly parts: LogStoreParts) {
    defineScripts(parts.redis);
    // In braces: everything of one relay lies in one slot of a Redis Cluster.
    this.prefix = `{${parts.prefix}}:log`;
    this.scripts = parts.redis as unknown as Scripts;
  }

  /** Whether calls are sent at all. */
  get isReady(): boolean {
    return this.parts.redis.status === 'ready';
  }

  async write(write: ChunkWrite): Promise<LogSums> {
    const { chunk, from, to, rows, keepMs, skipped, columns, bodies } = write;
    const hour = Math.floor(to / HOUR_MS);
    const numbers = [from, to, rows, keepMs, hour, skipped, columns.length / 2];
    const sums = await this.scripts.relayLogWrite([this.prefix, chunk, ...numbers, ...columns, ...bodies]);
    const [allRows = 0, bytes = 0] = sums as number[];
    return { rows: Number(allRows), bytes: Number(bytes) };
  }

  /** Removes what is beyond the limits, in one bounded step; how many chunks that were. */
  async trim({ maxAgeMs, maxRows, maxBytes }: LogLimits, atMost: number, atLeast = 0): Promise<number> {
    const oldest = Date.now() - maxAgeMs;
    const args = [this.prefix, oldest, maxRows, maxBytes, atMost, atLeast];
    const [removed = 0] = (await this.scripts.relayLogTrim(args)) as number[];
    return Number(removed);
  }

  async memory(): Promise<RedisMemory> {
    const info = await this.parts.redis.info('memory');
    const number = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    return { used: number('used_memory'), max: number('maxmemory') };
  }

  /** Chunks that may hold records of this time, the newest first. */
  chunks(since: number, until: number): Promise<string[]> {
    const { redis } = this.parts;
    const [from, to] = [since - CHUNK_MS, until + EARLIER_MS];
    return this.ask(() => redis.zrevrangebyscore(`${this.prefix}:chunks`, to, from));
  }

  /** Those that hold what is wanted; some may hold it by chance, as fingerprints do. */
  async holding(chunks: readonly string[], { clues, unusual }: Wanted): Promise<readonly string[]> {
    if (chunks.length === 0 || (clues.length === 0 && !unusual)) return chunks;
    const asked = clues.flatMap(({ columns, values }) => [
      values.length,
      ...values.map(bytesOf),
      columns.length,
      ...columns,
    ]);
    const args = [this.prefix, unusual ? UNUSUAL : '', clues.length, ...asked, ...chunks];
    return (await this.ask(() => this.scripts.relayLogHolding(args))) as string[];
  }

  /** The fields of each chunk, in the order of `names`; empty where there is none. */
  async fields(chunks: readonly string[], names: readonly Field[]): Promise<readonly (readonly Buffer[])[]> {
    if (chunks.length === 0) return [];
    const args = [this.prefix, names.length, ...names, ...chunks];
    const flat = await this.ask(() => this.scripts.relayLogFieldsBuffer(args));
    return chunks.map((_, index) => flat.slice(index * names.length, (index + 1) * names.length));
  }

  async coverage(since: number, until: number): Promise<Coverage> {
    const { redis } = this.parts;
    const [begin, gaps] = await this.ask(() =>
      Promise.all([redis.get(`${this.prefix}:since`), redis.hgetall(`${this.prefix}:gaps`)]),
    );
    const skipped = Object.entries(gaps)
      .filter(([hour]) => Number(hour) * HOUR_MS > since - HOUR_MS && Number(hour) * HOUR_MS <= until)
      .reduce((sum, [, count]) => sum + Number(count), 0);
    return { since: begin === null ? undefined : Number(begin), skipped };
  }

  private ask<T>(call: () => Promise<T>): Promise<T> {
    if (!this.isReady) throw new StoreUnavailableError('Redis is away');
    return fromStore(call());
  }
}

/** As it stands in a column. */
function bytesOf(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer);
}
