import { MAX_DEPTH, MAX_NODES } from './limits';

/** Problems and warnings that are listed one by one. */
const MAX_LINES = 20;
/** A line names a field, and fields may have any length. */
const MAX_LINE_LENGTH = 600;

/**
 * Why JSON that somebody gives as settings is not looked at any further; undefined where it may be. The check itself
 * does not recurse: the stack is what deep nesting would exhaust.
 */
export function boundsProblem(value: unknown): string | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: current, depth } = next;
    if (typeof current !== 'object' || current === null) continue;
    if (depth >= MAX_DEPTH) return `must be nested no deeper than ${MAX_DEPTH} levels`;
    const items = Object.values(current);
    nodes += items.length;
    if (nodes > MAX_NODES) return `must have no more than ${MAX_NODES} fields and items in all`;
    for (const item of items) open.push({ value: item, depth: depth + 1 });
  }
  return undefined;
}

/** The first lines, each cut to a length that a person reads, and how many more there are. */
export function boundedLines(lines: readonly string[]): string[] {
  const shown = lines.slice(0, MAX_LINES).map(shortened);
  const left = lines.length - shown.length;
  return left > 0 ? [...shown, `and ${left} more`] : shown;
}

/** Whether a line says how many more there are, of whatever field. */
export function isRest(line: string): boolean {
  return /^and \d+ more$/.test(line);
}

export function shortened(line: string): string {
  return line.length <= MAX_LINE_LENGTH ? line : `${line.slice(0, MAX_LINE_LENGTH)}…`;
}
