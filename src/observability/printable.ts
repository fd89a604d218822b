/**
 * What moves a terminal's cursor, changes its colours or its window's title, begins a new line, or turns the direction of
 * what follows: the control characters of C0 and C1, DEL, the line and paragraph separators, the marks, embeddings,
 * overrides and isolates of bidirectional text, the deprecated ones beside them, the byte order mark, and halves of
 * surrogate pairs.
 */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x206f],
  [0xfeff, 0xfeff],
];

/**
 * What is not seen at all, so that two names look the same: blanks without width, the soft hyphen, fillers of Hangul, signs of
 * music and shorthand, tags. Emoji that are made of tags lose them.
 */
const INVISIBLE =
  '[\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u2060-\\u2065\\u3164\\uffa0\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]';
/** Joiners and variants are seen in emoji and in the scripts that need them, and nowhere else. */
const JOINER =
  '[\\u200c\\u200d\\ufe00-\\ufe0f](?<![\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{M}\\p{Script=Arabic}].)';

const CLASS = RANGES.map(([first, last]) => `\\u${hex(first)}-\\u${hex(last)}`).join('');
const UNPRINTABLE = new RegExp(`[${CLASS}]|\\p{Surrogate}|${INVISIBLE}|${JOINER}`, 'gu');
const UNPRINTABLE_BUT_LINES = new RegExp(`(?!\\n)(?:${UNPRINTABLE.source})`, 'gu');

/**
 * The one way of text into a line of a terminal, a log or a table: what must not get there stands as `\u001b`. The result
 * is one line. Within JSON this is what JSON itself would write, so a line of JSON stays what it was.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** As `printable`, for what is made of several lines on purpose, such as indented JSON. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE_BUT_LINES, escaped);
}

/** As JSON writes it: what is beyond U+FFFF in two halves. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${hex(character.charCodeAt(index))}`,
  ).join('');
}

function hex(code: number): string {
  return code.toString(16).padStart(4, '0');
}
