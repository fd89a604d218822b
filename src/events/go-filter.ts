import type { Envelope } from './envelope';
import { type EventFilter, passes } from './filter';
import { CHATS_OF, findGoEvent, GO_MESSAGE } from './go-catalogue';
import { eachMember, isObject, isString, type Span } from './json-scanner';
import { decodeKnownString, decodeString } from './json-strings';

const CHAT = ['Info', 'Chat'];

/**
 * Whether a filter that does not name an event of evolution-go lets it pass all the same: it has the event's category, or
 * that of its chat. `data` is looked at for subscribers of such a category only.
 */
export function passesByCategory(filter: EventFilter, { event, body, members }: Envelope): boolean {
  const category = findGoEvent(event)?.category;
  if (category !== undefined && passes(filter, category)) return true;
  if (event !== GO_MESSAGE) return false;
  const endings = [...CHATS_OF].flatMap(([chats, ending]) => (passes(filter, chats) ? [ending] : []));
  if (endings.length === 0) return false;
  const chat = textAt(body, members.get('data'), CHAT);
  return endings.some((ending) => chat?.endsWith(ending));
}

/** The string at a path of members; of duplicate keys the last. */
function textAt(text: Buffer, span: Span | undefined, path: readonly string[]): string | undefined {
  const [name, ...rest] = path;
  if (span === undefined) return undefined;
  if (name === undefined) return isString(text, span) ? decodeString(text, span) : undefined;
  if (!isObject(text, span)) return undefined;
  let found: Span | undefined;
  eachMember(text, span, (key, value) => {
    if (decodeKnownString(text, key) === name) found = value;
  });
  return textAt(text, found, rest);
}
