import type { Span } from './json-scanner';
import { decodeKnownString } from './json-strings';

/** A member whose value is a name of somebody at WhatsApp, or that may take one. */
export interface JidMember {
  /** With its quotes. */
  readonly key: Span;
  readonly value: Span;
  /** The part before the @ and the device, where it is a LID or a phone number. */
  readonly kind: 'lid' | 'number' | 'other';
  readonly user: string;
}

/** One object in which somebody is named by a LID or a phone number, all its members by name. */
export type JidObject = ReadonlyMap<string, JidMember>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;
const LID_END = '@lid"';
/** Longer ones are no name. */
const MAX_JID = 48;
const JID = /^"(\d{5,20})(?::\d{1,5})?@(lid|s\.whatsapp\.net)"$/;
/** No event is deeper: what is, stays as it came. */
const MAX_DEPTH = 256;
const OTHER = { kind: 'other', user: '' } as const;

/** Whether somebody is named by a LID: a look that costs next to nothing. */
export function mayHoldLids(text: Buffer, { start, end }: Span): boolean {
  const at = text.indexOf(LID_END, start);
  return at !== -1 && at < end;
}

/** An object, or an array, that is not read to its end. */
interface Open {
  readonly isObject: boolean;
  readonly members: Map<string, JidMember>;
  hasJid: boolean;
  /** Of the member that is read. */
  key: Span | undefined;
}

/** Every object in the JSON at `span` that names somebody; in one pass, however deep. The grammar was checked before. */
export function jidObjects(text: Buffer, span: Span): readonly JidObject[] {
  return new JidReader(text).read(span);
}

class JidReader {
  private readonly found: JidObject[] = [];
  private readonly open: Open[] = [];

  constructor(private readonly text: Buffer) {}

  read({ start, end }: Span): readonly JidObject[] {
    let position = start;
    while (position < end) {
      const byte = this.text[position] as number;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.open.length >= MAX_DEPTH) return [];
        this.open.push({ isObject: byte === OPEN_BRACE, members: new Map(), hasJid: false, key: undefined });
        position++;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) position = this.close(position);
      else if (byte === COMMA || byte === COLON || byte <= SPACE) position++;
      else position = this.scalar(position, byte);
    }
    return this.found;
  }

  private close(position: number): number {
    const closed = this.open.pop();
    if (closed?.hasJid === true) this.found.push(closed.members);
    this.member({ start: position, end: position + 1 }, OTHER);
    return position + 1;
  }

  private scalar(position: number, byte: number): number {
    const end = byte === QUOTE ? textEnd(this.text, position) : wordEnd(this.text, position);
    const span = { start: position, end };
    const top = this.open.at(-1);
    if (top?.isObject === true && top.key === undefined) top.key = span;
    else this.member(span, byte === QUOTE ? this.jidAt(span) : OTHER);
    return end;
  }

  /** The value of a member ended. Of a container only the end is known: it is nobody's name. */
  private member(value: Span, { kind, user }: Pick<JidMember, 'kind' | 'user'>): void {
    const top = this.open.at(-1);
    if (top?.key === undefined) return;
    top.members.set(decodeKnownString(this.text, top.key), { key: top.key, value, kind, user });
    top.hasJid ||= kind !== 'other';
    top.key = undefined;
  }

  private jidAt({ start, end }: Span): Pick<JidMember, 'kind' | 'user'> {
    if (end - start > MAX_JID) return OTHER;
    const [, user, server] = JID.exec(this.text.toString('latin1', start, end)) ?? [];
    if (user === undefined) return OTHER;
    return { kind: server === 'lid' ? 'lid' : 'number', user };
  }
}

function textEnd(text: Buffer, quote: number): number {
  let end = quote;
  do end = text.indexOf(QUOTE, end + 1);
  while (isEscaped(text, end));
  return end + 1;
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: Buffer, position: number): boolean {
  let first = position;
  while (text[first - 1] === BACKSLASH) first--;
  return (position - first) % 2 === 1;
}

/** Behind a number, `true`, `false` or `null`. */
function wordEnd(text: Buffer, start: number): number {
  let end = start;
  for (let byte = text[end]; byte !== undefined && byte > SPACE; byte = text[++end])
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break;
  return end;
}
