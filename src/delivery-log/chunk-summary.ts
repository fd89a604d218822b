import type { Column } from './log-columns';

/** What a chunk has a summary of, and the columns that it sums up. */
const SUMMARIES = { delivery: ['delivery'], message: ['message'], chat: ['chat', 'alias'] } as const;
type Summary = keyof typeof SUMMARIES;
const NAMES = ['delivery', 'message', 'chat'] as const satisfies readonly Summary[];

/** With what Redis puts before it, it fills a kilobyte. Of another length it needs another name in the chunk: it lies there. */
const BYTES = 1012;
const BITS = 8 * BYTES;
/** Bits that a value sets: of 1024 rows that hold others, one chunk in forty has them all by chance. */
const BITS_EACH = 4;
/** A column of fewer rows is found as quickly without. */
const LEAST_ROWS = 256;

/** Columns of rows that are added. */
export interface SummedRows {
  readonly rows: number;
  fingerprints(column: Column): Uint32Array;
}

/** Bits of a value in a summary. */
export function bitsOf(value: number): number[] {
  return Array.from({ length: BITS_EACH }, (_, index) => bitAt(value + index * stepOf(value)));
}

/** The lower half of the value names a place, and the other half the steps to the next ones. */
function stepOf(value: number): number {
  return (value >>> 16) | 1;
}

/** Scaled, as a division takes four times as long. */
function bitAt(place: number): number {
  return Math.imul(place & 0xffff, BITS) >>> 16;
}

/** The name of the summary in which a value of these columns is looked for; empty where there is none. */
export function summaryOf(columns: readonly Column[]): string {
  const name = NAMES.find((each) => each === columns[0]);
  return name === undefined ? '' : fieldOf(name);
}

function fieldOf(name: Summary): string {
  return `summary:${name}`;
}

/**
 * What a chunk may hold, in a quarter of a column's bytes: Bloom filters. They are written anew with all rows that are added, by
 * the one worker that writes the chunk. Chunks of 1.0.0 have none.
 */
export class ChunkSummary {
  private readonly filters: Readonly<Record<Summary, Buffer>> = {
    delivery: Buffer.alloc(BYTES),
    message: Buffer.alloc(BYTES),
    chat: Buffer.alloc(BYTES),
  };
  private rows = 0;

  add(added: SummedRows): void {
    this.rows += added.rows;
    for (const name of NAMES)
      for (const column of SUMMARIES[name]) mark(this.filters[name], added.fingerprints(column));
  }

  /** Name and bytes of each; none where they are of no use. */
  fields(): (string | Buffer)[] {
    return this.rows < LEAST_ROWS ? [] : NAMES.flatMap((name) => [fieldOf(name), this.filters[name]]);
  }
}

function mark(filter: Buffer, values: Uint32Array): void {
  let last = -1;
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    // Most have no other name, and one chat's events come together.
    if (value === last) continue;
    last = value;
    const step = stepOf(value);
    for (let index = 0, place = value & 0xffff; index < BITS_EACH; index++, place += step) {
      const bit = bitAt(place);
      filter[bit >> 3] = (filter[bit >> 3] as number) | (1 << (bit & 7));
    }
  }
}
