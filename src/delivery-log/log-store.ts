import { fromStore, StoreUnavailableError } from '../errors';
import type { RelayRedis } from '../redis/relay-redis';
import { defineScripts } from '../redis/scripts';
import { bitsOf, summaryOf } from './chunk-summary';
import type { Column } from './log-columns';
import { CHUNK_MS, FIRST, WITH_BODY } from './log-segment';

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
  /** Name and bytes of each summary; none where the columns are short. */
  readonly summaries: readonly (string | Buffer)[];
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

/** A chunk, and the columns that were asked for, in that order; empty where it has none. */
export interface HeldChunk {
  readonly chunk: string;
  readonly columns: readonly Buffer[];
}

export type Field = Column | 'what' | 'lines' | `body:${string}`;

const NOTHING = Buffer.alloc(0);
const HOUR_MS = 3_600_000;
/** A record may be this much older than the chunk that it is in: it says when its attempt began. */
export const EARLIER_MS = 660_000;
/** Chunks read by one call: half a megabyte for each column. */
export const AT_ONCE = 128;

/** Plain successes in a column `what`: they are the first of HAPPENINGS, 0. */
const USUAL = String.fromCharCode(FIRST, FIRST | WITH_BODY);

type Scripts = Readonly<
  Record<'relayLogWrite' | 'relayLogTrim', (args: readonly unknown[]) => Promise<unknown>> &
    Record<'relayLogHoldingBuffer' | 'relayLogFieldsBuffer', (args: readonly unknown[]) => Promise<Buffer[]>>
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
    const { chunk, from, to, rows, keepMs, skipped, columns, summaries, bodies } = write;
    const hour = Math.floor(to / HOUR_MS);
    const counts = [columns.length / 2, summaries.length / 2];
    const numbers = [from, to, rows, keepMs, hour, skipped, ...counts];
    const fields = [...columns, ...summaries, ...bodies];
    const sums = await this.scripts.relayLogWrite([this.prefix, chunk, ...numbers, ...fields]);
    const [allRows = 0, bytes = 0] = sums as number[];
    return { rows: Number(allRows), bytes: Number(bytes) };
  }

  /** Removes what is beyond the limits, in one bounded step; how many chunks that were. */
  async trim({ maxAgeMs, maxRows, maxBytes }: LogLimits, atMost: number, atLeast = 0): Promise<number> {
    const args = [this.prefix, maxAgeMs, maxRows, maxBytes, atMost, atLeast];
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

  /** Those that hold what is wanted, with columns of theirs; some may hold it by chance, as fingerprints do. */
  async holding(
    chunks: readonly string[],
    { clues, unusual }: Wanted,
    names: readonly Field[],
  ): Promise<readonly HeldChunk[]> {
    if (chunks.length === 0) return [];
    const asked = clues.flatMap(({ columns, values }) => {
      const summary = summaryOf(columns);
      const bits = summary === '' ? [] : values.flatMap(bitsOf);
      return [summary, bits.length, ...bits, values.length, ...values, columns.length, ...columns];
    });
    // A single one that were bytes would make a buffer of each.
    const args = [names.length, ...names, unusual ? USUAL : '', clues.length, ...asked, ...chunks];
    const flat = await this.ask(() => this.scripts.relayLogHoldingBuffer([this.prefix, ...args]));
    return groupsOf(flat, 1 + names.length).map(([chunk = NOTHING, ...columns]) => ({
      chunk: chunk.toString('latin1'),
      columns,
    }));
  }

  /** The fields of each chunk, in the order of `names`; empty where there is none. */
  async fields(chunks: readonly string[], names: readonly Field[]): Promise<readonly (readonly Buffer[])[]> {
    if (chunks.length === 0) return [];
    const args = [this.prefix, names.length, ...names, ...chunks];
    return groupsOf(await this.ask(() => this.scripts.relayLogFieldsBuffer(args)), names.length);
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

function groupsOf(flat: readonly Buffer[], size: number): Buffer[][] {
  return Array.from({ length: flat.length / size }, (_, index) =>
    flat.slice(index * size, (index + 1) * size),
  );
}
