import { readFileSync } from 'node:fs';

const UTF8_MARK = Buffer.from('\uFEFF');
const UTF16_MARKS: readonly Buffer[] = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * The bytes of a text file that a person may have written on Windows: its editors put a mark before the text, which would
 * become part of the first name.
 *
 * @throws Error where the file is there and cannot be read as UTF-8
 */
export function readTextFile(path: string | number): Buffer {
  const bytes = readFileSync(path);
  // Text has no zero bytes; UTF-16 without its mark has one beside each ASCII character.
  if (UTF16_MARKS.some((mark) => beginsWith(bytes, mark)) || bytes.includes(0))
    throw new Error(
      'it is UTF-16, or no text: save it as UTF-8, which some editors call "UTF-8 without BOM"',
    );
  return beginsWith(bytes, UTF8_MARK) ? bytes.subarray(UTF8_MARK.length) : bytes;
}

function beginsWith(bytes: Buffer, mark: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}
