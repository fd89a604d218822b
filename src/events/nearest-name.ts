/** Nobody means a name of which more than this share has to be changed. */
const MOST_CHANGED = 1 / 3;
/** No name of ours is nearly as long. */
const MAX_LENGTH = 60;

export interface NearName {
  readonly name: string;
  /** Letters to put in, leave out, change, or swap with their neighbour. */
  readonly distance: number;
}

/** The name that is written most like `text`, whatever the difference; of equals the first. */
export function mostAlike(text: string, names: Iterable<string>): NearName | undefined {
  const short = text.slice(0, MAX_LENGTH);
  let best: NearName | undefined;
  for (const name of names) {
    const found = distance(short, name);
    if (best === undefined || found < best.distance) best = { name, distance: found };
  }
  return best;
}

/** The name that was probably meant, in whatever case; undefined where none is near. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const inLowerCase = names.map((name) => name.toLowerCase());
  const best = mostAlike(text.toLowerCase(), inLowerCase);
  if (best === undefined) return undefined;
  const { length } = best.name;
  return best.distance <= Math.max(1, Math.floor(length * MOST_CHANGED))
    ? names[inLowerCase.indexOf(best.name)]
    : undefined;
}

/** Ends a sentence about a name that does not exist. */
export function didYouMean(text: string, names: readonly string[]): string {
  const nearest = nearestName(text, names);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

/** Damerau and Levenshtein's, in which two letters that change places count once. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= from.length; row++) {
    const [above = [], beforeAbove] = [rows[row - 1], rows[row - 2]];
    const next = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const [diagonal = 0, over = 0, left = 0] = [above[column - 1], above[column], next[column - 1]];
      const swapped = (isSwapped ? beforeAbove?.[column - 2] : undefined) ?? Number.POSITIVE_INFINITY;
      next.push(Math.min(over + 1, left + 1, diagonal + Number(!isSame), swapped + 1));
    }
    rows.push(next);
  }
  return rows.at(-1)?.at(-1) ?? from.length;
}
