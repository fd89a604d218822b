import { errorCode } from '../errors';
import { printable, printableLines } from '../observability/printable';
import { FINDING } from './exit';
import { table } from './table';

/** The only way of commands to standard output and standard error: nothing gets there that is not printable. */

/** One line, whatever stands in `text`. */
export function printLine(text: string): void {
  write(`${printable(text)}\n`);
}

/** Text of several lines that are our own. */
export function printText(text: string): void {
  write(printableLines(text));
}

export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  write(table(head, rows));
}

/** One line, or indented over several. */
export function printJson(value: unknown, indent?: number): void {
  write(`${printableLines(JSON.stringify(value, null, indent))}\n`);
}

/** One line on standard error. */
export function complain(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Text of several lines that are our own, on standard error. */
export function complainLines(text: string): void {
  process.stderr.write(printableLines(text));
}

let isOpen = true;

/**
 * Whoever reads our output may have seen enough (`| head`): the command then goes on without a word, as what it changes
 * must not be left half done. Output that cannot be written for another reason makes the command fail.
 */
function write(text: string): void {
  if (!isOpen) return;
  process.stdout.write(text, (error) => {
    if (!error || !isOpen) return;
    isOpen = false;
    if (errorCode(error) === 'EPIPE') return;
    complain(`the output cannot be written: ${errorCode(error)}`);
    process.exitCode = FINDING;
  });
}

/** A stream that fails must not end the process: the writer gets the error. Call it once, first. */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    if (stream.listenerCount('error') === 0) stream.on('error', () => {});
}
