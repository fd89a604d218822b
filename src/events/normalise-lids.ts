import type { Envelope } from './envelope';
import { type JidMember, type JidObject, jidObjects, mayHoldLids } from './jid-objects';
import { type Edit, withEdits } from './json-edits';
import type { Span } from './json-scanner';
import { type LidPair, pairsIn, subjectOf } from './lid-pairs';

/** The number of a LID where it is known; `conflict` where two are. */
export type NumberOf = (lid: string) => string | 'conflict' | undefined;

/** What an event says about LIDs; found once for all destinations. */
export interface LidView {
  readonly objects: readonly JidObject[];
  readonly pairs: readonly LidPair[];
  /** LIDs that stand where a number is wanted, and whose number the event itself does not say. */
  readonly unknown: readonly string[];
}

const NOTHING: LidView = { objects: [], pairs: [], unknown: [] };
/** Where a LID is kept beside the number. */
const BESIDE = 'Alt';
/** Names that say themselves that they are LIDs. */
const LID_ONLY = /(?:Lid|LID)$|^lid$/;
/** Names that say in which form somebody is named: what stands there stays. */
const FORM_NAMES = /(?:Alt|Lid|LID|Pn|PN)$|^(?:lid|pn|phoneNumber)$/;
const EMPTY = new Set(['""', 'null']);

const views = new WeakMap<Envelope, LidView>();

export function lidViewOf(envelope: Envelope): LidView {
  const { body, members } = envelope;
  const data = members.get('data');
  if (data === undefined || !mayHoldLids(body, data)) return NOTHING;
  let view = views.get(envelope);
  if (view === undefined) {
    view = viewOf(body, data);
    views.set(envelope, view);
  }
  return view;
}

function viewOf(body: Buffer, data: Span): LidView {
  const objects = jidObjects(body, data);
  const pairs = pairsIn(body, objects);
  const own = numbersOf(pairs);
  const unknown = new Set<string>();
  for (const object of objects)
    for (const [name, { kind, user }] of object)
      if (kind === 'lid' && !FORM_NAMES.test(name) && !own.has(user)) unknown.add(user);
  return { objects, pairs, unknown: [...unknown] };
}

/**
 * The event with phone numbers where LIDs stand, as far as it says them itself or `learned` knows them. The LID is kept beside
 * the number, under the same name with `Alt` behind it, as the core API 2.4 has it. A LID with two numbers stays as it is.
 */
export function withNumbers(envelope: Envelope, learned: NumberOf): Envelope {
  const view = lidViewOf(envelope);
  if (view.objects.length === 0) return envelope;
  const own = numbersOf(view.pairs);
  const numberOf = (lid: string): string | undefined => {
    const [said, known] = [own.get(lid), learned(lid)];
    if (said === undefined) return known === 'conflict' ? undefined : known;
    return said === 'conflict' || (known !== undefined && known !== said) ? undefined : said;
  };
  const edits = view.objects.flatMap((object) => editsOf(envelope.body, object, numberOf));
  return withEdits(envelope, edits);
}

function numbersOf(pairs: readonly LidPair[]): Map<string, string> {
  const numbers = new Map<string, string>();
  for (const { lid, number } of pairs) {
    const before = numbers.get(lid);
    numbers.set(lid, before === undefined || before === number ? number : 'conflict');
  }
  return numbers;
}

function editsOf(
  body: Buffer,
  object: JidObject,
  numberOf: (lid: string) => string | undefined,
): readonly Edit[] {
  return [...object].flatMap(([name, member]) => {
    if (member.kind !== 'lid' || FORM_NAMES.test(name)) return [];
    const number = numberOf(member.user);
    const kept = number === undefined ? undefined : keeping(body, object, name, member, number);
    return number === undefined || kept === undefined
      ? []
      : [{ ...member.value, text: Buffer.from(`"${number}@s.whatsapp.net"`) }, ...kept];
  });
}

/** What keeps the LID of a member beside its number; undefined where there is no place for it. */
function keeping(
  body: Buffer,
  object: JidObject,
  name: string,
  { key, value, user }: JidMember,
  number: string,
): readonly Edit[] | undefined {
  const isKept = [...object].some(
    ([other, { kind, user: theirs }]) => kind === 'lid' && theirs === user && keepsLidOf(name, other),
  );
  if (isKept) return [];
  const lid = body.subarray(value.start, value.end);
  const beside = object.get(name + BESIDE);
  if (beside === undefined) {
    const besideKey = Buffer.concat([body.subarray(key.start, key.end - 1), Buffer.from(`${BESIDE}":`)]);
    return [{ start: value.end, end: value.end, text: Buffer.concat([Buffer.from(','), besideKey, lid]) }];
  }
  const isFree = EMPTY.has(body.toString('latin1', beside.value.start, beside.value.end));
  return isFree || (beside.kind === 'number' && beside.user === number)
    ? [{ ...beside.value, text: lid }]
    : undefined;
}

/** Whether a member of the one name keeps the LID of what the other one names. */
function keepsLidOf(name: string, other: string): boolean {
  return other === name + BESIDE || (LID_ONLY.test(other) && subjectOf(other) === subjectOf(name));
}
