import type { Envelope } from '../events/envelope';
import { isObject, isString, standsAt } from '../events/json-scanner';
import { firstElement, MemberWalk } from '../events/json-skim';
import { decodeString } from '../events/json-strings';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const AT = 0x40;
const BACKSLASH = 0x5c;
/** Both cores write the key of a message before its content. */
const REACH = 16_384;
/** No real id is longer, quotes included. */
const LONGEST = 256;

/** Where the JSON strings of a key stand in a text, without quotes. Start and end are the same where there is none. */
export interface KeyPlaces {
  readonly messageStart: number;
  readonly messageEnd: number;
  readonly chatStart: number;
  readonly chatEnd: number;
  readonly aliasStart: number;
  readonly aliasEnd: number;
}

/**
 * Which message an event is about, and of which chat, by where they stand: to make strings of them takes as long as to log them.
 * `alias` is the chat's other name: WhatsApp knows one person by number and by LID.
 */
export class MessageKey implements KeyPlaces {
  readonly messageStart: number;
  readonly messageEnd: number;
  readonly chatStart: number;
  readonly chatEnd: number;
  readonly aliasStart: number;
  readonly aliasEnd: number;

  constructor(
    readonly text: Buffer,
    places: KeyPlaces,
  ) {
    this.messageStart = places.messageStart;
    this.messageEnd = places.messageEnd;
    this.chatStart = places.chatStart;
    this.chatEnd = places.chatEnd;
    this.aliasStart = places.aliasStart;
    this.aliasEnd = places.aliasEnd;
  }

  get message(): string {
    return decoded(this.text, this.messageStart, this.messageEnd);
  }

  get chat(): string {
    return decoded(this.text, this.chatStart, this.chatEnd);
  }

  get alias(): string {
    return decoded(this.text, this.aliasStart, this.aliasEnd);
  }

  get bytes(): number {
    const { messageStart, messageEnd, chatStart, chatEnd, aliasStart, aliasEnd } = this;
    return messageEnd - messageStart + (chatEnd - chatStart) + (aliasEnd - aliasStart);
  }
}

/** A JSON string that stands there without its quotes; empty where start and end are the same. */
export function decoded(text: Buffer, start: number, end: number): string {
  return start === end ? '' : decodeString(text, { start: start - 1, end: end + 1 });
}

const NOWHERE: KeyPlaces = {
  messageStart: 0,
  messageEnd: 0,
  chatStart: 0,
  chatEnd: 0,
  aliasStart: 0,
  aliasEnd: 0,
};

/** Of what is about no message. */
export const NO_KEY = new MessageKey(Buffer.alloc(0), NOWHERE);

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

interface Name {
  readonly bytes: Buffer;
  readonly role: Role;
}

/** By `placeOf`, which differs for each of these names: to decode each name takes longer than all else, to ask a Map four times as long. */
const NAMES: readonly (Name | undefined)[] = Object.entries(ROLES).reduce<(Name | undefined)[]>(
  (places, [name, role]) => {
    const bytes = Buffer.from(name);
    places[placeOf(bytes.length, bytes[0] ?? 0, bytes.at(-1) ?? 0)] = { bytes, role };
    return places;
  },
  new Array<undefined>(64).fill(undefined),
);

/** Of names that are decoded. */
const ROLE_OF_NAME: ReadonlyMap<string, Role> = new Map(Object.entries(ROLES));

function placeOf(length: number, first: number, last: number): number {
  return (length + first + 4 * last) & 63;
}

/**
 * Finds them without decoding `data`: in its member `key` (Evolution API) or `Info` (Evolution Go), or in `data` itself; of a
 * list in its first element. A value behind the first 16 KB is not found.
 */
export function messageKeyOf({ body, members }: Envelope): MessageKey {
  const data = members.get('data');
  const first = data === undefined ? undefined : (firstElement(body, data) ?? data);
  if (first === undefined) return NO_KEY;
  const search = new KeySearch(body);
  if (isString(body, first)) search.take('chat', first.start, first.end);
  else if (isObject(body, first)) search.walk(first.start, Math.min(first.end, first.start + REACH));
  return search.found();
}

const walk = new MemberWalk();

class KeySearch implements KeyPlaces {
  messageStart = 0;
  messageEnd = 0;
  chatStart = 0;
  chatEnd = 0;
  aliasStart = 0;
  aliasEnd = 0;
  private isInner = false;
  private idStart = 0;
  private idEnd = 0;

  constructor(private readonly text: Buffer) {}

  walk(start: number, end: number): void {
    const { text } = this;
    walk.begin(text, start, end);
    while (!this.hasAll && walk.next()) {
      const role = roleOf(text, walk.keyStart, walk.keyEnd);
      if (role === undefined) continue;
      const { valueStart } = walk;
      if (role !== 'inner') this.takeValue(role, valueStart, end);
      else if (!this.isInner && text[valueStart] === OPEN_BRACE) {
        // What stands beside the key of a message is no better than the key itself.
        this.isInner = true;
        this.clear();
        walk.begin(text, valueStart, end);
      }
    }
    walk.forget();
  }

  /** The first one of a role counts. `end` is behind the closing quote. */
  take(role: Exclude<Role, 'inner' | 'messages' | 'caller'>, tokenStart: number, tokenEnd: number): void {
    const start = tokenStart + 1;
    const end = tokenEnd - 1;
    if (end === start || tokenEnd - tokenStart > LONGEST) return;
    if (role === 'message') this.takeMessage(start, end);
    else if (role === 'chat') this.takeChat(start, end);
    else if (role === 'alias' && this.aliasEnd === 0) {
      this.aliasStart = start;
      this.aliasEnd = end;
    } else if (role === 'id' && this.idEnd === 0) {
      this.idStart = start;
      this.idEnd = end;
    }
  }

  /** `id` is a chat where it says so (presences, groups), and a message where a chat is named beside it. */
  found(): MessageKey {
    const { text, idStart, idEnd } = this;
    if (this.messageEnd === 0 && idEnd > 0) {
      if (hasAt(text, idStart, idEnd)) this.takeChat(idStart, idEnd);
      else if (this.chatEnd > 0 || this.isInner) this.takeMessage(idStart, idEnd);
    }
    return new MessageKey(text, this);
  }

  /** Of a key: what follows it says no more. */
  private get hasAll(): boolean {
    return this.isInner && this.idEnd > 0 && this.chatEnd > 0 && this.aliasEnd > 0;
  }

  private takeValue(role: Exclude<Role, 'inner'>, start: number, reach: number): void {
    const { text } = this;
    if (role === 'messages') {
      const first = firstElement(text, { start, end: reach });
      if (first !== undefined && isString(text, first)) this.take('message', first.start, first.end);
      return;
    }
    if (text[start] !== QUOTE || walk.valueEnd > reach) return;
    // A call names its chat and, within a group, the caller.
    if (role !== 'caller') this.take(role, start, walk.valueEnd);
    else if (!this.isInner) this.take('chat', start, walk.valueEnd);
  }

  private takeMessage(start: number, end: number): void {
    if (this.messageEnd > 0) return;
    this.messageStart = start;
    this.messageEnd = end;
  }

  private takeChat(start: number, end: number): void {
    if (this.chatEnd > 0) return;
    this.chatStart = start;
    this.chatEnd = end;
  }

  private clear(): void {
    this.messageStart = this.messageEnd = this.chatStart = this.chatEnd = this.aliasStart = this.aliasEnd = 0;
    this.idStart = this.idEnd = 0;
  }
}

function hasAt(text: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if (text[index] === AT) return true;
    // It may be written as an escape.
    if (text[index] === BACKSLASH) return decoded(text, start, end).includes('@');
  }
  return false;
}

function roleOf(text: Buffer, start: number, end: number): Role | undefined {
  const length = end - start - 2;
  const name = NAMES[placeOf(length, text[start + 1] as number, text[end - 2] as number)];
  if (name?.bytes.length === length && standsAt(text, start + 1, name.bytes)) return name.role;
  return isEscaped(text, start, end) ? ROLE_OF_NAME.get(decodeString(text, { start, end })) : undefined;
}

/** Neither core writes letters of its names as escapes; whoever else publishes may. */
function isEscaped(text: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (text[index] === BACKSLASH) return true;
  return false;
}
