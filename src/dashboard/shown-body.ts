/** The body of an event as a page shows it. */
export interface ShownBody {
  /** As it came, without the keys that it carries. */
  readonly text: string;
  readonly bytes: number;
  /** Bytes that are shown, where those are not all. */
  readonly cutAt: number | undefined;
}

/** A page is no place for more; what is beyond it are pictures and videos. */
const MOST_BYTES = 65_536;
/** Within texts quotes are escaped, so that only members are found. */
const KEY = /("(?:apikey|instanceToken)"\s*:\s*)"(?:[^"\\]|\\.)*"?/g;

/** Each event carries the token of its instance: whoever may read a page may not have that. */
export function shownBody(body: Buffer): ShownBody {
  const isCut = body.length > MOST_BYTES;
  const text = (isCut ? body.subarray(0, MOST_BYTES) : body).toString().replace(KEY, '$1"********"');
  return {
    text: isCut ? `${text.replace(/\ufffd$/, '')}…` : text,
    bytes: body.length,
    cutAt: isCut ? MOST_BYTES : undefined,
  };
}

const TOKENS = /"(?:[^"\\]|\\.)*"?|[{[]\s*[}\]]|[{}[\],:]|[^\s"{}[\],:]+/g;
/** Deeper ones are not moved further to the right. */
const MOST_INDENT = 20;

/** JSON with one value a line. Nothing is parsed: numbers stay as they are written. */
export function indented(json: string): string {
  let depth = 0;
  const lineBreak = (): string => `\n${'  '.repeat(Math.min(depth, MOST_INDENT))}`;
  const shown = (token: string): string => {
    if (token === '{' || token === '[') {
      depth++;
      return `${token}${lineBreak()}`;
    }
    if (token === '}' || token === ']') {
      depth = Math.max(0, depth - 1);
      return `${lineBreak()}${token}`;
    }
    if (token === ',') return `,${lineBreak()}`;
    return token === ':' ? ': ' : token;
  };
  return Array.from(json.matchAll(TOKENS), ([token]) => shown(token)).join('');
}
