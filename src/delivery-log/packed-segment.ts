import type { BatchContents } from './batch-records';
import { marksOf } from './chunk-summary';
import { blockOf, blockOfSync } from './log-blocks';
import { COLUMNS } from './log-columns';
import { LogSegment } from './log-segment';

/** The parts of a segment, in the order in which another thread hands them over; the last one is none of Redis's columns. */
const PARTS = [...COLUMNS, 'what', 'lines', 'marks'] as const;

/** What Redis gets of a batch. */
export interface PackedSegment {
  /** Name and bytes of each column. */
  readonly columns: readonly (string | Buffer)[];
  /** What its chunk's summary has of it (chunk-summary.ts). */
  readonly marks: Buffer;
}

/** All parts behind one another, as they go from one thread to another. */
export interface HandedSegment {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How long each of PARTS is. */
  readonly lengths: readonly number[];
}

/** Made here, and compressed on a thread of Node's own. */
export async function packed(contents: BatchContents): Promise<PackedSegment> {
  const segment = new LogSegment(contents);
  return segmentOf([...segment.columnBytes, await blockOf(segment.lines), marksOf(segment)]);
}

/** Made and compressed here, for another thread. */
export function packedForOthers(contents: BatchContents): HandedSegment {
  const segment = new LogSegment(contents);
  const parts = [...segment.columnBytes, blockOfSync(segment.lines), marksOf(segment)];
  const lengths = parts.map(({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return { bytes, lengths };
}

export function received({ bytes, lengths }: HandedSegment): PackedSegment {
  let position = bytes.byteOffset;
  return segmentOf(
    lengths.map((length) => {
      const part = Buffer.from(bytes.buffer, position, length);
      position += length;
      return part;
    }),
  );
}

function segmentOf(parts: readonly Buffer[]): PackedSegment {
  const marks = parts.at(-1) ?? Buffer.alloc(0);
  return { columns: parts.slice(0, -1).flatMap((part, index) => [PARTS[index] ?? '', part]), marks };
}
