import { HAPPENINGS, type LogRecord } from './log-record';
import { COMMON_NAMES, HEAD_BYTES, NIBBLES, PLAIN, ROW_LENGTH_BYTES, SEXTETS, SUFFIXES } from './row-format';

/** What a chunk or a block keeps of its rows, of which a search wants few. */
export interface StoredRows {
  readonly count: number;
  /** Undefined where there is none, or none that can be read. */
  at(row: number): LogRecord | undefined;
}

/** Undefined for a block that `RowWriter` did not write: somebody wrote over it. */
export function packedRows(block: Buffer): StoredRows | undefined {
  if (block.length < HEAD_BYTES) return undefined;
  const rows = new PackedRows(block);
  return rows.isWhole ? rows : undefined;
}

class PackedRows implements StoredRows {
  readonly isWhole: boolean;
  private readonly firstAt: number;
  private readonly names: readonly string[];
  /** Where each row begins, and where the last one ends. */
  private readonly begins: readonly number[];

  constructor(private readonly block: Buffer) {
    const end = HEAD_BYTES + block.readUInt32LE(4);
    const count = block.readUInt16LE(14);
    const names = new Unpacked(block, end);
    this.firstAt = block.readUIntLE(8, 6);
    this.names = [...COMMON_NAMES, ...names.names(block.readUInt16LE(16))];
    this.begins = beginsOf(block, count);
    this.isWhole = this.count === count && this.begins.at(-1) === end && names.position === block.length;
  }

  get count(): number {
    return this.begins.length - 1;
  }

  at(row: number): LogRecord | undefined {
    const [begin, end] = [this.begins[row], this.begins[row + 1]];
    if (begin === undefined || end === undefined) return undefined;
    const fields = new Unpacked(this.block, begin + ROW_LENGTH_BYTES);
    const record = this.recordOf(fields);
    return fields.position === end ? record : undefined;
  }

  private recordOf(fields: Unpacked): LogRecord | undefined {
    const what = HAPPENINGS[fields.number()];
    if (what === undefined) return undefined;
    // Fields are read in the order in which they stand here.
    return {
      what,
      at: this.firstAt + fields.signed(),
      attempt: fields.number(),
      durationMs: fields.number(),
      status: fields.number(),
      bytes: fields.number(),
      id: fields.text(),
      destination: this.name(fields),
      instance: this.name(fields),
      event: this.name(fields),
      message: fields.text(),
      chat: fields.chat(),
      alias: fields.chat(),
      code: this.name(fields),
      answer: fields.text(),
    };
  }

  private name(fields: Unpacked): string {
    return this.names[fields.number()] ?? '';
  }
}

function beginsOf(block: Buffer, count: number): number[] {
  const begins = [HEAD_BYTES];
  let end = HEAD_BYTES;
  while (begins.length <= count && end + ROW_LENGTH_BYTES <= block.length) {
    end += ROW_LENGTH_BYTES + block.readUInt16LE(end);
    begins.push(end);
  }
  return begins;
}

/** Reads what `PackedBytes` wrote; behind the end everything is 0. */
class Unpacked {
  constructor(
    private readonly bytes: Buffer,
    public position: number,
  ) {}

  names(count: number): string[] {
    return Array.from({ length: Math.min(count, this.bytes.length) }, () => this.plain(this.number()));
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.position++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80 || factor > 2 ** 42) return value;
    }
  }

  signed(): number {
    const value = this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const head = this.number();
    const length = Math.floor(head / 4);
    switch (head % 4) {
      case PLAIN:
        return this.plain(length);
      case SEXTETS:
        return this.take(Math.ceil((length * 6) / 8))
          .toString('base64url')
          .slice(0, length);
      case NIBBLES:
        return this.take(Math.ceil(length / 2))
          .toString('hex')
          .toUpperCase()
          .slice(0, length);
      default:
        return '';
    }
  }

  chat(): string {
    const user = this.text();
    return user + (SUFFIXES[this.number()] ?? '');
  }

  private plain(length: number): string {
    const text = this.take(length).toString();
    return text.includes('\\') ? unescaped(text) : text;
  }

  private take(length: number): Buffer {
    const { position } = this;
    this.position += length;
    return this.bytes.subarray(position, this.position);
  }
}

function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return '';
  }
}
