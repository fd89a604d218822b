import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { devNull } from 'node:os';
import { RelayError } from '../errors';

const UTF8_MARK = Buffer.from('\uFEFF');
const UTF16_MARKS: readonly Buffer[] = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
const CHUNK = 65_536;
const STANDARD_INPUT = 0;
/** What a shell puts in place of `<(command)`: its writer is there already, so that it ends. */
const OPEN_DESCRIPTOR = /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/(?:self|\d+)\/fd\/\d+)$/;

/** Files of variables: nobody writes nearly as much. */
export const MAX_CONFIG_BYTES = 1_048_576;

/** A file that is there, and is not what it should be; the message says what it is. */
export class UnfitFileError extends RelayError {
  constructor(message: string) {
    super('FILE_UNFIT', message);
  }
}

/**
 * The bytes of a text file that a person may have written on Windows: its editors put a mark before the text, which would
 * become part of the first name. What never ends, or blocks when it is opened, is refused: a pipe, a device, too large a file.
 *
 * @param path `-`: standard input, whatever that is
 * @throws UnfitFileError where the file is no text in UTF-8, or what the system says where it cannot be read
 */
export function readTextFile(path: string, maxBytes: number): Buffer {
  const bytes = readWhole(path, maxBytes);
  // Text has no zero bytes; UTF-16 without its mark has one beside each ASCII character.
  if (UTF16_MARKS.some((mark) => beginsWith(bytes, mark)) || bytes.includes(0))
    throw new UnfitFileError(
      'it is UTF-16, or no text: save it as UTF-8, which some editors call "UTF-8 without BOM"',
    );
  return beginsWith(bytes, UTF8_MARK) ? bytes.subarray(UTF8_MARK.length) : bytes;
}

/** A link that leads nowhere is there, too: it was made so that its target is read. */
export function isThere(path: string): boolean {
  if (existsSync(path)) return true;
  try {
    return readlinkSync(path) !== '';
  } catch {
    return false;
  }
}

function readWhole(path: string, maxBytes: number): Buffer {
  if (path === '-') return readUpTo(STANDARD_INPUT, maxBytes);
  const isOpen = OPEN_DESCRIPTOR.test(path);
  if (!isOpen) check(statSync(path), maxBytes);
  // It may be a pipe by now, which must not make us wait all the same; Windows knows no such flag.
  const flags = isOpen ? constants.O_RDONLY : constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(path, flags);
  try {
    if (!isOpen) check(fstatSync(descriptor), maxBytes);
    return readUpTo(descriptor, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

function check(stats: Stats, maxBytes: number): void {
  const kind = kindOf(stats);
  if (kind !== undefined) throw new UnfitFileError(`it is ${kind}, not a file`);
  if (stats.size > maxBytes) throw tooLarge(maxBytes);
}

function kindOf(stats: Stats): string | undefined {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return (stats.isCharacterDevice() && !isNothing(stats)) || stats.isBlockDevice() ? 'a device' : undefined;
}

/** The usual way to say that there is none. */
function isNothing({ rdev }: Stats): boolean {
  return process.platform !== 'win32' && rdev === statSync(devNull).rdev;
}

/** By pieces, as files of the system say that they are empty. */
function readUpTo(descriptor: number, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const length = readSync(descriptor, chunk, 0, CHUNK, null);
    if (length === 0) return Buffer.concat(chunks);
    total += length;
    if (total > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk.subarray(0, length));
  }
}

function tooLarge(maxBytes: number): UnfitFileError {
  return new UnfitFileError(`it has more than ${Math.floor(maxBytes / 1_048_576)} MB, and must not`);
}

function beginsWith(bytes: Buffer, mark: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}
