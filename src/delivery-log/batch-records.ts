import { SEGMENT_ROWS, WHAT_MASK } from './log-columns';
import { HAPPENINGS, type Happening, type LogEntry } from './log-record';
import type { KeyPlaces } from './message-key';

/** What each record has in a batch: numbers of eight bytes, at these places. */
export const PLACE = {
  /** What happened, as the column `what` has it. */
  what: 0,
  at: 1,
  attempt: 2,
  durationMs: 3,
  status: 4,
  bytes: 5,
  /** Texts by their places among the names of the batch. */
  destination: 6,
  instance: 7,
  event: 8,
  code: 9,
  answer: 10,
  /** The id by its length, as it stands where the last record's texts end; 0 where it is no plain text, and `named` has it. */
  id: 11,
  named: 12,
  /** Strings of the event's JSON behind the id, by their lengths with quotes; 0 where there is none. */
  message: 13,
  chat: 14,
  alias: 15,
} as const;
export const NUMBERS = 16;
const NUMBER_BYTES = 8;
/** Length of one. */
const QUOTE = 1;
/** Of ids and of what is found in bodies: a hundred bytes of each record are usual. */
export const TEXT_BYTES = 96 * 1024;
export const MEMORY_BYTES = SEGMENT_ROWS * NUMBERS * NUMBER_BYTES + TEXT_BYTES;

/** What a batch holds, as another thread is told of it. */
export interface BatchContents {
  readonly memory: SharedArrayBuffer;
  readonly rows: number;
  /** Texts that records name by their places. */
  readonly names: readonly string[];
  /** More than its lines take (row-writer.ts). */
  readonly lineBytes: number;
}

export function numbersOf(memory: SharedArrayBuffer): Float64Array<SharedArrayBuffer> {
  return new Float64Array(memory, 0, SEGMENT_ROWS * NUMBERS);
}

export function textsOf(memory: SharedArrayBuffer): Buffer<SharedArrayBuffer> {
  return Buffer.from(memory, MEMORY_BYTES - TEXT_BYTES);
}

/**
 * Walks through what `RecordBatch` wrote. It is each record in its turn, as an object for each would be most of what a thread
 * does that makes ten thousand rows a second.
 */
export class BatchRecords implements Omit<LogEntry, 'id'>, KeyPlaces {
  what: Happening = 'delivered';
  /** As the column `what` has it. */
  marks = 0;
  at = 0;
  attempt = 0;
  durationMs = 0;
  status = 0;
  bytes = 0;
  destination = '';
  instance = '';
  event = '';
  code = '';
  answer = '';
  /** Empty where the id stands in `text`. */
  namedId = '';
  idStart = 0;
  idEnd = 0;
  messageStart = 0;
  messageEnd = 0;
  chatStart = 0;
  chatEnd = 0;
  aliasStart = 0;
  aliasEnd = 0;
  readonly text: Buffer;
  private readonly numbers: Float64Array;
  private readonly names: readonly string[];
  private readonly rows: number;
  private row = -1;
  private position = 0;

  constructor({ memory, rows, names }: BatchContents) {
    this.numbers = numbersOf(memory);
    this.text = textsOf(memory);
    this.names = names;
    this.rows = rows;
  }

  /** False behind the last one. */
  next(): boolean {
    if (++this.row >= this.rows) return false;
    this.marks = this.number(PLACE.what);
    this.what = HAPPENINGS[this.marks & WHAT_MASK] ?? 'delivered';
    this.at = this.number(PLACE.at);
    this.attempt = this.number(PLACE.attempt);
    this.durationMs = this.number(PLACE.durationMs);
    this.status = this.number(PLACE.status);
    this.bytes = this.number(PLACE.bytes);
    this.destination = this.name(PLACE.destination);
    this.instance = this.name(PLACE.instance);
    this.event = this.name(PLACE.event);
    this.code = this.name(PLACE.code);
    this.answer = this.name(PLACE.answer);
    this.passTexts();
    return true;
  }

  private passTexts(): void {
    this.idStart = this.position;
    this.idEnd = this.position += this.number(PLACE.id);
    this.namedId = this.idStart === this.idEnd ? this.name(PLACE.named) : '';
    this.messageStart = this.position + QUOTE;
    this.messageEnd = this.passString(PLACE.message);
    this.chatStart = this.position + QUOTE;
    this.chatEnd = this.passString(PLACE.chat);
    this.aliasStart = this.position + QUOTE;
    this.aliasEnd = this.passString(PLACE.alias);
  }

  /** Where it ends without its quotes: where it starts, if there is none. */
  private passString(place: number): number {
    const length = this.number(place);
    this.position += length;
    return length === 0 ? this.position + QUOTE : this.position - QUOTE;
  }

  private number(place: number): number {
    return this.numbers[this.row * NUMBERS + place] ?? 0;
  }

  private name(place: number): string {
    return this.names[this.number(place)] ?? '';
  }
}
