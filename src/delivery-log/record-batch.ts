import { monotonicMs } from '../time/monotonic';
import {
  type BatchContents,
  MEMORY_BYTES,
  NUMBERS,
  numbersOf,
  PLACE,
  TEXT_BYTES,
  textsOf,
} from './batch-records';
import { CHUNK_MS, FIRST, SEGMENT_ROWS, WITH_BODY } from './log-columns';
import { HAPPENINGS, type LogEntry } from './log-record';
import type { MessageKey } from './message-key';
import { MOST_BYTES_EACH, OTHER_BYTES } from './row-writer';

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LAST_ASCII = 0x7f;
/** Of the three texts of a key. */
const QUOTES = 6;
/** A block of lines is read as far as this many bytes, times five (log-blocks.ts). */
const LINE_BYTES = 192 * 1024;
/** A batch that filled within this time is one of more than 10,000 records a second. */
const QUICK_MS = 50;

export interface NewRecord {
  readonly entry: LogEntry;
  readonly key: MessageKey;
  readonly isFirst: boolean;
  /** Kept under the event's id. */
  readonly body: { readonly event: string; readonly bytes: Buffer } | undefined;
}

/**
 * Records as they are noted, on the path of every delivery: numbers and bytes, put where another thread can read them. What Redis
 * gets of them (log-segment.ts) takes three times as long to make, which may be done there.
 */
export class RecordBatch {
  private readonly memory = new SharedArrayBuffer(MEMORY_BYTES);
  private readonly numbers = numbersOf(this.memory);
  private readonly texts = textsOf(this.memory);
  private readonly places = new Map<string, number>();
  private names: string[] = [];
  private sizes: number[] = [];
  private position = 0;
  private lineBytes = 0;
  private count = 0;
  private held = 0;
  private first = 0;
  private last = 0;
  private begunAt = 0;
  private filledMs = Number.POSITIVE_INFINITY;
  readonly bodies = new Map<string, Buffer>();

  constructor(private readonly now: () => number = monotonicMs) {}

  get rows(): number {
    return this.count;
  }

  get bodyBytes(): number {
    return this.held;
  }

  /** Times of the first and of the last record. */
  get from(): number {
    return this.first;
  }

  get to(): number {
    return this.last;
  }

  /** Whether it filled so quickly that records come by the ten thousand a second. */
  get isQuick(): boolean {
    return this.filledMs < QUICK_MS;
  }

  get contents(): BatchContents {
    const { memory, count: rows, names, lineBytes } = this;
    return { memory, rows, names, lineBytes };
  }

  /** False where it has no room for the record, or where the record is too far from the others. */
  add({ entry, key, isFirst, body }: NewRecord): boolean {
    if (this.count === SEGMENT_ROWS || !this.hasRoomFor(entry, key) || !this.isNear(entry.at)) return false;
    if (this.count === 0) this.begin(entry.at);
    const marks = (isFirst ? FIRST : 0) | (body === undefined ? 0 : WITH_BODY);
    this.write(entry, key, HAPPENINGS.indexOf(entry.what) | marks);
    if (entry.at < this.first) this.first = entry.at;
    if (entry.at > this.last) this.last = entry.at;
    if (++this.count === SEGMENT_ROWS) this.filledMs = this.now() - this.begunAt;
    if (body !== undefined && !this.bodies.has(body.event)) {
      this.bodies.set(body.event, body.bytes);
      this.held += body.bytes.length;
    }
    return true;
  }

  /** Empty again: the memory is used for the next records. */
  clear(): void {
    this.position = this.lineBytes = this.count = this.held = 0;
    this.filledMs = Number.POSITIVE_INFINITY;
    this.bodies.clear();
    this.places.clear();
    // What was told of the old ones may still be read.
    this.names = [];
    this.sizes = [];
  }

  private hasRoomFor(entry: LogEntry, key: MessageKey): boolean {
    const { id, destination, instance, event, code, answer } = entry;
    if (this.position + id.length + key.bytes + QUOTES > TEXT_BYTES) return false;
    const names = destination.length + instance.length + event.length + code.length + answer.length;
    const line = OTHER_BYTES + MOST_BYTES_EACH * (id.length + names + key.bytes);
    return this.lineBytes + line <= LINE_BYTES;
  }

  /** While Redis is away a batch fills for hours. */
  private isNear(at: number): boolean {
    return this.count === 0 || Math.max(this.last, at) - Math.min(this.first, at) < CHUNK_MS;
  }

  private begin(at: number): void {
    this.first = this.last = at;
    this.begunAt = this.now();
  }

  private write(entry: LogEntry, key: MessageKey, what: number): void {
    const { numbers } = this;
    const row = this.count * NUMBERS;
    this.lineBytes += OTHER_BYTES;
    numbers[row + PLACE.what] = what;
    numbers[row + PLACE.at] = entry.at;
    numbers[row + PLACE.attempt] = entry.attempt;
    numbers[row + PLACE.durationMs] = entry.durationMs;
    numbers[row + PLACE.status] = entry.status;
    numbers[row + PLACE.bytes] = entry.bytes;
    numbers[row + PLACE.destination] = this.name(entry.destination);
    numbers[row + PLACE.instance] = this.name(entry.instance);
    numbers[row + PLACE.event] = this.name(entry.event);
    numbers[row + PLACE.code] = this.name(entry.code);
    numbers[row + PLACE.answer] = this.name(entry.answer);
    const idLength = this.plain(entry.id);
    numbers[row + PLACE.id] = idLength;
    numbers[row + PLACE.named] = idLength === 0 ? this.name(entry.id) : 0;
    numbers[row + PLACE.message] = this.json(key.text, key.messageStart, key.messageEnd);
    numbers[row + PLACE.chat] = this.json(key.text, key.chatStart, key.chatEnd);
    numbers[row + PLACE.alias] = this.json(key.text, key.aliasStart, key.aliasEnd);
  }

  /** Its place among the names. */
  private name(text: string): number {
    const place = this.places.get(text) ?? this.learn(text);
    this.lineBytes += this.sizes[place] ?? 0;
    return place;
  }

  private learn(text: string): number {
    const place = this.names.length;
    this.places.set(text, place);
    this.names.push(text);
    this.sizes.push(Buffer.byteLength(JSON.stringify(text)));
    return place;
  }

  /** Its length; 0 where it cannot be written as it is. */
  private plain(text: string): number {
    const { texts, position } = this;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < SPACE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH) return 0;
      texts[position + index] = code;
    }
    this.position += text.length;
    this.lineBytes += text.length;
    return text.length;
  }

  /** The length of the JSON string around it, as whoever reads it needs its quotes; 0 where there is none. */
  private json(text: Buffer, start: number, end: number): number {
    if (start === end) return 0;
    const { texts } = this;
    let { position } = this;
    let isPlain = true;
    for (let index = start - 1; index <= end; index++) {
      const byte = text[index] as number;
      if (byte === BACKSLASH || byte > LAST_ASCII) isPlain = false;
      texts[position++] = byte;
    }
    this.position = position;
    this.lineBytes += (isPlain ? 1 : MOST_BYTES_EACH) * (end - start);
    return end - start + 2;
  }
}
