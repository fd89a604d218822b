import { numbersOf } from '../events/phone-number';

/**
 * WhatsApp's names of chats and people (JIDs), and the forms in which settings may have them: `5511988887777`,
 * `+55 11 98888-7777`, `5511988887777:12@s.whatsapp.net` and `5511988887777@c.us` are the same person.
 */

export type ChatKind = 'direct' | 'group' | 'status' | 'newsletter' | 'other';

const PERSON = '@s.whatsapp.net';
const NUMBER = /^\+?[\d\s().-]+$/;
const KINDS: readonly (readonly [ending: string, kind: ChatKind])[] = [
  ['@g.us', 'group'],
  ['@newsletter', 'newsletter'],
  ['status@broadcast', 'status'],
  [PERSON, 'direct'],
  ['@c.us', 'direct'],
  ['@lid', 'direct'],
];

/** One form for all that mean the same. */
export function chatName(text: string): string {
  const name = text.trim().toLowerCase();
  if (NUMBER.test(name)) return name.replaceAll(/\D/g, '') + PERSON;
  return name.replace(/:\d+@/, '@').replace(/@c\.us$/, PERSON);
}

/** All forms of what settings name: of a person also the other number that WhatsApp may know. */
export function chatNames(text: string): readonly string[] {
  const name = chatName(text);
  if (!name.endsWith(PERSON)) return [name];
  return numbersOf(name.slice(0, -PERSON.length)).map((number) => number + PERSON);
}

/** Whether settings may name a chat so: a number, or a whole name. */
export function isChatName(text: string): boolean {
  return (NUMBER.test(text.trim()) && /\d/.test(text)) || /^[^@\s]+@[a-z.]+$/i.test(text.trim());
}

export function chatKind(name: string): ChatKind {
  return KINDS.find(([ending]) => name.endsWith(ending))?.[1] ?? (name.includes('@') ? 'other' : 'direct');
}
