import { parseEnv } from 'node:util';

export interface EnvFile {
  readonly values: NodeJS.Dict<string>;
  /** Lines that have no effect, or another one than they seem to have: their numbers, and never what they hold. */
  readonly faults: readonly string[];
  /** Lines that later ones take back, which may be meant. */
  readonly repeated: readonly string[];
}

/** What a shell, dotenv and a composition take for a name. */
const NAME = /^[A-Za-z_][\w.-]*$/;
/** The beginning of a line that is meant for a variable, such as `NAME: value`; a single word may be a secret. */
const MEANT = /^(?:export\s+)?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w.-])/;
const QUOTES: ReadonlySet<string> = new Set(['"', "'", '`']);
const COMMENT = /^\s*(?:#|$)/;

/**
 * Reads a `.env`. Node's own parser takes a line without an equals sign for the beginning of the next name, and ends at one
 * without a name: what follows would be lost, so that both are left out before it sees them.
 */
export function parseEnvFile(text: string): EnvFile {
  const lines = text.split(/\r\n|\r|\n/);
  const faults: string[] = [];
  const repeated: string[] = [];
  const kept: string[] = [];
  const seen = new Map<string, number>();
  for (let index = 0; index < lines.length; ) {
    const entry = entryAt(lines, index);
    const place = `line ${index + 1}`;
    if (entry.kind === 'fault') faults.push(`${place} ${entry.fault}`);
    if (entry.kind === 'variable') {
      kept.push(...lines.slice(index, entry.end));
      if (entry.fault !== undefined) faults.push(`line ${entry.end} ${entry.fault}`);
      const before = seen.get(entry.name);
      if (before !== undefined)
        repeated.push(`line ${before} has no effect: ${place} sets ${entry.name} again`);
      seen.set(entry.name, index + 1);
    }
    index = entry.kind === 'variable' ? entry.end : index + 1;
  }
  // Node's parser drops a last line that begins with a quote which is not closed, unless the line is ended.
  return { values: parseEnv(`${kept.join('\n')}\n`), faults, repeated };
}

type Entry =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'fault'; readonly fault: string }
  /** `end`: the line behind it, counted from 0. */
  | { readonly kind: 'variable'; readonly name: string; readonly end: number; readonly fault?: string };

function entryAt(lines: readonly string[], index: number): Entry {
  const line = lines[index] ?? '';
  if (COMMENT.test(line)) return { kind: 'nothing' };
  const equals = line.indexOf('=');
  const name = line
    .slice(0, Math.max(equals, 0))
    .trim()
    .replace(/^export\s+/, '');
  if (equals < 0 || !NAME.test(name)) return { kind: 'fault', fault: faultOf(line, equals) };
  return { kind: 'variable', name, ...endOf(lines, index, line.slice(equals + 1).trimStart()) };
}

function faultOf(line: string, equals: number): string {
  const meant = MEANT.exec(line.trim())?.[1];
  const about = meant === undefined ? '' : ` (${meant})`;
  const what = equals < 0 ? 'has no =' : 'has no name of a variable before its =';
  return `is left out${about}, as it ${what}: write NAME=value`;
}

/** Where a value ends: one in quotes goes on over lines, where the quote is closed at all. */
function endOf(lines: readonly string[], index: number, value: string): { end: number; fault?: string } {
  const quote = value.slice(0, 1);
  if (!QUOTES.has(quote)) return { end: index + 1 };
  for (let last = index; last < lines.length; last++) {
    const text = last === index ? value.slice(1) : (lines[last] ?? '');
    const close = text.indexOf(quote);
    if (close < 0) continue;
    const isWhole = COMMENT.test(text.slice(close + 1));
    return isWhole ? { end: last + 1 } : { end: last + 1, fault: restFault(index, last) };
  }
  return {
    end: index + 1,
    fault: 'begins a value with a quote that is not closed: the quote is taken for a part of the value',
  };
}

function restFault(first: number, last: number): string {
  const where = first === last ? 'it' : `it, or in line ${first + 1}, where the value begins`;
  return `has text behind the quote that ends a value, which is left out: a quote may be missing in ${where}`;
}
