import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A line that does not end is written in pieces of this length. */
const MAX_LINE = 1_048_576;

/** Hands on what a stream says line by line, so that those of several processes are never mixed within a line. */
export function eachLine(stream: Readable, take: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
    if (rest.length <= MAX_LINE) return;
    take(rest);
    rest = '';
  });
  stream.on('end', () => {
    if (rest !== '') take(rest);
  });
  stream.on('error', () => {});
}
