import { plural } from '../plural';
import { complain, printJson, printTable } from './output';

export interface Listing<T> {
  /** What is listed, of many: `dead letters`. */
  readonly what: string;
  /** The first ones, one more than the limit where there are as many. */
  readonly found: readonly T[];
  readonly limit: number;
  readonly head: readonly string[];
  readonly rowOf: (item: T) => readonly (string | number)[];
  /** One JSON object a line instead of a table. */
  readonly json?: boolean | undefined;
  /** What such a line has beside what the item has: times as the table shows them. */
  readonly times?: (item: T) => Readonly<Record<string, string>>;
}

/** A list, and on standard error what a list cannot say: that it is empty, or goes on. */
export function printListing<T extends object>({
  what,
  found,
  limit,
  head,
  rowOf,
  json,
  times,
}: Listing<T>): void {
  const shown = found.slice(0, limit);
  if (json === true) for (const item of shown) printJson({ ...item, ...times?.(item) });
  else printTable(head, shown.map(rowOf));
  if (shown.length === 0) complain(`no ${what} found`);
  else if (found.length > limit) complain(goesOn(limit));
}

export function goesOn(limit: number): string {
  return `there are more than ${plural(limit, 'this one', `these ${limit}`)}: --limit shows more of them`;
}
