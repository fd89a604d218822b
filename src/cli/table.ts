import { printable } from '../observability/printable';

/** Columns are no wider: one cell that somebody made huge would be paid for by every line. */
const MAX_WIDTH = 200;

/** Plain columns, one row a line, whatever the cells hold: easy to read, to grep and to cut. Numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => printable(String(cell))));
  const widths = head.map((_, column) =>
    lines.reduce((width, line) => Math.min(MAX_WIDTH, Math.max(width, line[column]?.length ?? 0)), 0),
  );
  const isNumeric = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
