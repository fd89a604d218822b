import { CATALOGUE, filterKey } from './catalogue';
import { GO_CATALOGUE, GO_CATEGORIES } from './go-catalogue';

const KEYS = [
  ...CATALOGUE.flatMap(({ key, otherKeys = [] }) => [key, ...otherKeys]),
  ...GO_CATEGORIES,
  ...GO_CATALOGUE.map(({ event }) => event.toUpperCase()),
];
/** No key is nearly as long. */
const MAX_LENGTH = 60;

/** The catalogue's key that is written most like `name`: for messages about misspelt names. */
export function nearestEvent(name: string): string {
  const key = filterKey(name.slice(0, MAX_LENGTH));
  const distances = KEYS.map((known) => [known, distance(key, known)] as const);
  return distances.reduce((best, next) => (next[1] < best[1] ? next : best))[0];
}

/** Letters to put in, leave out or change until one text is the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const [diagonal = 0, above = 0, left = 0] = [row[column], row[column + 1], next[column]];
      next.push(Math.min(above + 1, left + 1, diagonal + Number(letter !== other)));
    }
    row = next;
  }
  return row.at(-1) ?? from.length;
}
