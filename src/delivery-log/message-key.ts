import type { Envelope } from '../events/envelope';
import { isObject, isString, type Span, standsAt } from '../events/json-scanner';
import { firstElement, skimMembers } from '../events/json-skim';
import { decodeString } from '../events/json-strings';

/** Which message an event is about, and of which chat; empty where it names none. */
export interface MessageKey {
  readonly message: string;
  readonly chat: string;
  /** The chat's other name: WhatsApp knows one person by number and by LID. */
  readonly alias: string;
}

/** What a member says, in the words of both cores. */
type Role = 'inner' | 'message' | 'messages' | 'id' | 'chat' | 'alias' | 'caller';

const ROLES: Readonly<Record<string, Role>> = {
  key: 'inner',
  Info: 'inner',
  keyId: 'message',
  MessageIDs: 'messages',
  id: 'id',
  ID: 'id',
  remoteJid: 'chat',
  Chat: 'chat',
  chatId: 'chat',
  remoteJidAlt: 'alias',
  senderPn: 'alias',
  senderLid: 'alias',
  SenderAlt: 'alias',
  RecipientAlt: 'alias',
  from: 'caller',
};

const NONE: MessageKey = { message: '', chat: '', alias: '' };
/** Both cores write the key of a message before its content. */
const REACH = 16_384;
/** No real id is longer, quotes included. */
const LONGEST = 256;
const BACKSLASH = 0x5c;
const LAST_ASCII = 0x7f;

/** By length, first and last byte, which are those of one name only: to decode each name takes longer than all else. */
const ROLE_OF = new Map(
  Object.entries(ROLES).map(([name, role]) => {
    const bytes = Buffer.from(name);
    return [placeOf(bytes.length, bytes[0] ?? 0, bytes.at(-1) ?? 0), { bytes, role }];
  }),
);

function placeOf(length: number, first: number, last: number): number {
  return (length << 16) | (first << 8) | last;
}

/**
 * Finds them without decoding `data`: in its member `key` (Evolution API) or `Info` (Evolution Go), or in `data` itself; of a
 * list in its first element. A value behind the first 16 KB is not found.
 */
export function messageKeyOf({ body, members }: Envelope): MessageKey {
  const data = members.get('data');
  if (data === undefined) return NONE;
  const first = firstElement(body, data) ?? data;
  if (isString(body, first)) return { message: '', chat: textAt(body, first.start, first.end), alias: '' };
  return isObject(body, first) ? finder.find(body, first) : NONE;
}

class Finder {
  private body: Buffer = Buffer.alloc(0);
  private end = 0;
  private isInner = false;
  private message = '';
  private id = '';
  private chat = '';
  private alias = '';
  private readonly look = (keyStart: number, keyEnd: number, start: number, end: number): boolean => {
    const { body } = this;
    const length = keyEnd - keyStart - 2;
    const place = placeOf(length, body[keyStart + 1] as number, body[keyEnd - 2] as number);
    const known = ROLE_OF.get(place);
    if (known === undefined || !standsAt(body, keyStart + 1, known.bytes)) return true;
    return this.take(known.role, start, end);
  };

  find(body: Buffer, { start, end }: Span): MessageKey {
    this.body = body;
    this.end = Math.min(end, start + REACH);
    this.isInner = false;
    this.clear();
    skimMembers(body, start, this.end, this.look);
    const found = this.found();
    // What is held here must not outlive the event.
    this.body = NOTHING;
    return found;
  }

  private clear(): void {
    this.message = this.id = this.chat = this.alias = '';
  }

  /** `id` is a chat where it says so (presences, groups), and a message where a chat is named beside it. */
  private found(): MessageKey {
    const { message, id, chat, alias } = this;
    if (message !== '' || id === '') return { message, chat, alias };
    if (id.includes('@')) return { message, chat: chat || id, alias };
    return { message: chat === '' && !this.isInner ? '' : id, chat, alias };
  }

  private take(role: Role, start: number, end: number): boolean {
    const { body } = this;
    if (role === 'inner') return this.isInner || !this.walkInner(start);
    if (role === 'messages') {
      const first = firstElement(body, { start, end });
      if (first !== undefined && isString(body, first)) this.message ||= textAt(body, first.start, first.end);
      return true;
    }
    if (!isString(body, { start, end })) return true;
    const text = textAt(body, start, end);
    // A call names its chat and, within a group, the caller.
    if (role === 'caller') this.chat ||= this.isInner ? '' : text;
    else this[role] ||= text;
    return true;
  }

  /** What stands beside the key of a message is no better than the key itself. */
  private walkInner(start: number): boolean {
    if (!isObject(this.body, { start, end: start })) return false;
    this.isInner = true;
    this.clear();
    skimMembers(this.body, start, this.end, this.look);
    return true;
  }
}

const NOTHING = Buffer.alloc(0);
const finder = new Finder();

function textAt(body: Buffer, start: number, end: number): string {
  if (end - start > LONGEST) return '';
  for (let position = start + 1; position < end - 1; position++) {
    const byte = body[position] as number;
    if (byte === BACKSLASH || byte > LAST_ASCII) return decodeString(body, { start, end });
  }
  return body.toString('latin1', start + 1, end - 1);
}
