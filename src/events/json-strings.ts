import { type Span, standsAt } from './json-scanner';

/** Longer strings are not remembered. */
const LONGEST_KNOWN = 64;
/** A power of two, and more than there are keys and busy instances. */
const PLACES = 1024;

/** The value of the JSON string token at `span`, quotes included in the span. */
export function decodeString(text: Buffer, span: Span): string {
  const inner = text.toString('utf8', span.start + 1, span.end - 1);
  return inner.includes('\\') ? (JSON.parse(`"${inner}"`) as string) : inner;
}

/**
 * The strings that were decoded last, one for each place in a table: keys and names come again and again, and to
 * compare their bytes takes a tenth of the time that decoding them does.
 */
class KnownStrings {
  private readonly tokens = new Array<Uint8Array>(PLACES).fill(new Uint8Array());
  private readonly strings = new Array<string>(PLACES).fill('');

  decode(text: Buffer, span: Span): string {
    const { start, end } = span;
    const length = end - start;
    if (length > LONGEST_KNOWN) return decodeString(text, span);
    const place =
      (length * 31 + (text[start + 1] as number) * 7 + (text[end - 2] as number) * 3) & (PLACES - 1);
    const token = this.tokens[place] as Uint8Array;
    if (token.length === length && standsAt(text, start, token)) return this.strings[place] as string;
    const decoded = decodeString(text, span);
    // A copy of its own: part of a shared allocation would keep all of that.
    this.tokens[place] = new Uint8Array(text.subarray(start, end));
    this.strings[place] = decoded;
    return decoded;
  }
}

const knownStrings = new KnownStrings();

/** As `decodeString`, for what comes again and again: names of events and instances. */
export function decodeKnownString(text: Buffer, span: Span): string {
  return knownStrings.decode(text, span);
}
