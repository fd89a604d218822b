import type { JidObject } from './jid-objects';

/** Somebody's LID and phone number, without the servers. */
export interface LidPair {
  readonly lid: string;
  readonly number: string;
}

/** Ends of names that say in which form somebody is named, as in `remoteJidAlt`, `participantPn`, `remoteLid`. */
const FORMS = /(?:Alt|Pn|PN|Lid|LID|Jid|JID)+$/;
/** Names of the same, in rows about one person or member. */
const BARE = new Set(['id', 'jid', 'lid', 'pn', 'phoneNumber']);
/** Who sent a message, beside whose chat it is or who of the group it was (Baileys 6.7). */
const SENDERS = ['senderPn', 'senderLid'];

/** Everybody whom one of the objects names by both. */
export function pairsIn(text: Buffer, objects: readonly JidObject[]): readonly LidPair[] {
  return objects.flatMap((object) => [...pairsByName(object), ...pairsBySender(text, object)]);
}

/** What a name is about, whatever the form: `remoteJid`, `remoteJidAlt` and `remoteLid` are about the same. */
export function subjectOf(name: string): string {
  const subject = name.replace(FORMS, '');
  return BARE.has(subject) ? '' : subject;
}

function pairsByName(object: JidObject): LidPair[] {
  const subjects = new Map<string, { lids: Set<string>; numbers: Set<string> }>();
  for (const [name, { kind, user }] of object) {
    if (kind === 'other') continue;
    const subject = subjectOf(name);
    const known = subjects.get(subject) ?? { lids: new Set(), numbers: new Set() };
    (kind === 'lid' ? known.lids : known.numbers).add(user);
    subjects.set(subject, known);
  }
  return [...subjects.values()].flatMap(({ lids, numbers }) => {
    const [lid, second] = lids;
    // Of two LIDs nobody knows whose the number is.
    return lid === undefined || second !== undefined ? [] : [...numbers].map((number) => ({ lid, number }));
  });
}

/** An own message names its sender, too, who is not the one whose chat it is. */
function pairsBySender(text: Buffer, object: JidObject): LidPair[] {
  const fromMe = object.get('fromMe');
  if (fromMe === undefined || text.toString('latin1', fromMe.value.start, fromMe.value.end) !== 'false')
    return [];
  // In a group, whose name is neither a LID nor a number, the member.
  const name = (object.get('remoteJid')?.kind ?? 'other') === 'other' ? 'participant' : 'remoteJid';
  const other = object.get(name);
  if (other === undefined || object.get(`${name}Alt`)?.kind === 'lid') return [];
  // Its own LID is named already, so that another one is somebody else's.
  if (other.kind === 'number' && namesLidOf(object, name)) return [];
  return SENDERS.flatMap((form) => {
    const sender = object.get(form);
    if (sender?.kind === 'lid' && other.kind === 'number') return [{ lid: sender.user, number: other.user }];
    if (sender?.kind === 'number' && other.kind === 'lid') return [{ lid: other.user, number: sender.user }];
    return [];
  });
}

function namesLidOf(object: JidObject, name: string): boolean {
  return [...object].some(([form, { kind }]) => kind === 'lid' && subjectOf(form) === subjectOf(name));
}
