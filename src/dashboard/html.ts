import { printableLines } from '../observability/printable';

/**
 * Text that is HTML on purpose. Only `html` makes it, so that what an instance, an event or an answer says can never become a
 * part of a page.
 */
class Markup {
  constructor(readonly text: string) {}
}
export type Html = Markup;

/** What may stand in a template. Nothing is shown for `undefined` and `false`. */
export type Piece = string | number | Html | undefined | false | readonly Piece[];

/** Where in the markup a piece stands: in text, in a tag outside of values, or in a value within double quotes. */
type Place = 'text' | 'tag' | 'value' | 'address';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Values that a browser goes to. */
const ADDRESS = /\s(?:href|src|action|formaction|data-live|data-history)="$/;
const OWN_PATH = /^(?:[?#]|\/(?![/\\]))/;
const PLACES = new WeakMap<TemplateStringsArray, readonly Place[]>();

/**
 * A template of HTML. Whatever is put into it is escaped, unless it comes from such a template itself. Where that would not
 * help, it throws: outside of quoted values only HTML may stand, and addresses must be paths of our own.
 */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let places = PLACES.get(parts);
  if (places === undefined) {
    places = placesOf(parts);
    PLACES.set(parts, places);
  }
  let text = parts[0] ?? '';
  for (const [index, piece] of pieces.entries()) {
    text += shown(piece, places[index] ?? 'text');
    text += parts[index + 1] ?? '';
  }
  return new Markup(text);
}

function shown(piece: Piece, place: Place): string {
  if (piece === undefined || piece === false) return '';
  if (piece instanceof Markup) {
    if (place === 'address') throw new RangeError('an address is no HTML');
    return piece.text;
  }
  if (isList(piece)) return piece.map((each) => shown(each, place)).join('');
  if (place === 'tag') throw new RangeError('text within a tag must stand in double quotes');
  const text = String(piece);
  if (place === 'address' && !OWN_PATH.test(text)) throw new RangeError('a page links to its own paths only');
  return escaped(text);
}

function isList(piece: Piece): piece is readonly Piece[] {
  return Array.isArray(piece);
}

/** What would move a cursor or turn the direction of what follows is shown as what it is. */
function escaped(text: string): string {
  return printableLines(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function placesOf(parts: TemplateStringsArray): Place[] {
  const places: Place[] = [];
  let place: Place = 'text';
  for (const part of parts.slice(0, -1)) {
    place = placeAfter(place, part);
    places.push(place === 'value' && ADDRESS.test(part) ? 'address' : place);
  }
  return places;
}

function placeAfter(before: Place, part: string): Place {
  let place = before;
  for (const character of part) {
    if (place === 'text' && character === '<') place = 'tag';
    else if (place === 'tag' && character === '>') place = 'text';
    else if (character === '"' && place !== 'text') place = place === 'tag' ? 'value' : 'tag';
  }
  return place;
}

/** A path with a query; what is empty is left out. */
export function path(
  base: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') given.set(name, String(value));
  return given.size === 0 ? base : `${base}?${given}`;
}
