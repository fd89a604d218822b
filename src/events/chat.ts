import type { Envelope } from './envelope';
import { isObject, isString, type Span } from './json-scanner';
import { skimAll } from './json-skim';
import { decodeKnownString } from './json-strings';

/** The chat that an event is about. WhatsApp may call one chat by its number and by a LID. */
export interface Chat {
  readonly name: string;
  /** Its other name, where the event says both. */
  readonly other?: string;
}

const LID = '@lid';
/** Longer ones are no names of chats. */
const MAX_NAME_BYTES = 256;
/** Of `data`, the first that is there; `id` names a message in most events, and a chat where it has a server behind it. */
const CHAT_FIELDS = ['remoteJid', 'chatId', 'groupJid', 'Chat', 'id'] as const;
/** Of `data.key`: what the core API, or an older library, has beside `remoteJid`. */
const OTHER_FIELDS = ['remoteJidAlt', 'senderPn', 'senderLid'] as const;

/** The chat of an event; undefined for one that is about none, or about several. */
export function chatOf({ body, members }: Envelope): Chat | undefined {
  const data = members.get('data');
  if (data === undefined || !isObject(body, data)) return undefined;
  const fields = textsOf(body, data, ['key', 'Info', ...CHAT_FIELDS]);
  const key = fields.spans.get('key');
  if (key !== undefined && isObject(body, key)) {
    const { texts } = textsOf(body, key, ['remoteJid', ...OTHER_FIELDS]);
    const name = texts.get('remoteJid');
    if (name !== undefined) return withOther(name, texts);
  }
  // evolution-go's messages.
  const info = fields.spans.get('Info');
  const chat =
    info === undefined || !isObject(body, info) ? undefined : textsOf(body, info, ['Chat']).texts.get('Chat');
  if (chat !== undefined) return { name: plain(chat) };
  for (const field of CHAT_FIELDS) {
    const name = fields.texts.get(field);
    if (name !== undefined && (field !== 'id' || name.includes('@'))) return { name: plain(name) };
  }
  return undefined;
}

export function isLid(name: string): boolean {
  return name.endsWith(LID);
}

/** Of a group's message the other fields name its sender. */
function withOther(jid: string, texts: ReadonlyMap<string, string>): Chat {
  const name = plain(jid);
  if (name.endsWith('@g.us')) return { name };
  const other = OTHER_FIELDS.map((field) => texts.get(field)).find(
    (text) => text !== undefined && isLid(plain(text)) !== isLid(name),
  );
  return other === undefined ? { name } : { name, other: plain(other) };
}

/** Without the number of the device, `5511:12@…`. */
function plain(jid: string): string {
  return jid.replace(/:\d+@/, '@');
}

/** Where these members of an object are, and those of them that are short texts. */
function textsOf(
  body: Buffer,
  object: Span,
  names: readonly string[],
): { readonly spans: Map<string, Span>; readonly texts: Map<string, string> } {
  const spans = new Map<string, Span>();
  const texts = new Map<string, string>();
  skimAll(body, object, (key, value) => {
    if (key.end - key.start > MAX_NAME_BYTES) return;
    const name = decodeKnownString(body, key);
    if (!names.includes(name)) return;
    spans.set(name, value);
    if (!isString(body, value) || value.end - value.start > MAX_NAME_BYTES) return;
    const text = decodeKnownString(body, value);
    if (text !== '') texts.set(name, text);
  });
  return { spans, texts };
}
