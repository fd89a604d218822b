/** How many letters of a name may be changed. */
type Threshold = (name: string) => number;

/** Nobody means a name of which more than a third has to be changed. */
const MEANT: Threshold = ({ length }) => Math.max(1, Math.floor(length / 3));
/** Where the text may as well be somebody else's name: shorter names differ by two letters from many that are. */
const ALMOST: Threshold = ({ length }) => (length < 12 ? 1 : 2);
/** No name of ours is nearly as long. */
const MAX_LENGTH = 60;

/** The name that was probably meant, in whatever case; undefined where none is near. */
export function nearestName(text: string, names: Iterable<string>): string | undefined {
  return nearestWithin(MEANT, text, names);
}

/** The name of which it is all but certain that it was meant. */
export function almostSame(text: string, names: Iterable<string>): string | undefined {
  return nearestWithin(ALMOST, text, names);
}

/** Of equals the first. */
function nearestWithin(threshold: Threshold, text: string, names: Iterable<string>): string | undefined {
  const short = text.slice(0, MAX_LENGTH).toLowerCase();
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const [mine, theirs] = differing(short, name.toLowerCase());
    const found = distance(mine, theirs);
    if (found < least && found <= threshold(name) && isTyped(found, mine, theirs))
      [best, least] = [name, found];
  }
  return best;
}

/** What is left of two texts without what they begin and end with alike. */
function differing(one: string, other: string): [string, string] {
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start++;
  let end = 0;
  while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  return [one.slice(start, one.length - end), other.slice(start, other.length - end)];
}

/** Of long names that begin or end alike, one with another word in it is near by its letters, and means something else. */
function isTyped(changed: number, one: string, other: string): boolean {
  const isOneLonger = one === '' || other === '';
  return isOneLonger || changed <= Math.max(1, Math.floor(Math.max(one.length, other.length) / 2));
}

/** Ends a sentence about a name that does not exist. */
export function didYouMean(text: string, names: Iterable<string>): string {
  return suggestion(nearestName(text, names));
}

/** The same of a name that was found already. */
export function suggestion(nearest: string | undefined): string {
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
