import { CATALOGUE } from '../events/catalogue';
import { keyNamed } from '../events/event-names';
import { nearestName, suggestion } from '../events/nearest-name';
import { PARK_REASONS } from '../pipeline/delivery';
import { DEAD_REASONS } from '../pipeline/parking';
import { judgeCode } from './attempt-codes';
import { UNTRIED } from './parked-deliveries';

/** Why a message can never be an event, or a dead letter not be read: `DeadLetter.detail`. */
export const DETAILS = [
  'BODY_EMPTY',
  'BODY_NOT_UTF8',
  'BODY_NOT_JSON',
  'BODY_NOT_OBJECT',
  'EVENT_MISSING',
  'INSTANCE_MISSING',
  'INSTANCE_NAME_MISSING',
  'TOO_MANY_KEYS',
  'KEY_TOO_LONG',
  'NAME_TOO_LONG',
  'PARSE_FAILED',
  'CLAIM_ADDRESS_REFUSED',
  'CLAIM_EXPIRED',
  'CLAIM_REJECTED',
  'CLAIM_TOO_LARGE',
  'CLAIM_UNAVAILABLE',
  'RECORD_OF_A_LATER_VERSION',
  'RECORD_UNREADABLE',
] as const;

/** What a filter for the reasons of dead letters may say. */
export const REASONS: readonly string[] = [...DEAD_REASONS, ...DETAILS];

/** What is asked for: each has reasons of its own. */
export type Asked = 'dead-letters' | 'parked' | 'deliveries';

/** The same as a line of help, which goes on after "must be". */
export const REASONS_HELP: Readonly<Record<Asked, string>> = {
  'dead-letters': `${DEAD_REASONS.join(', ')}, or the code of a malformed message`,
  parked: `${UNTRIED}, or the code of the last attempt, such as HTTP_503 or TIMEOUT`,
  deliveries:
    'the code of an attempt, such as HTTP_503 or TIMEOUT, or why it was parked, given up on or discarded, such as slow or filtered',
};

/** Words of reasons beside the codes of attempts. */
const WORDS: Readonly<Record<Exclude<Asked, 'dead-letters'>, readonly string[]>> = {
  parked: [UNTRIED],
  deliveries: [...PARK_REASONS, ...DEAD_REASONS, 'filtered', 'vacant', 'no-destination'],
};
/** Destinations that are added have words of their own for what they discard. */
const WORD = /^[a-z][a-z-]*$/;

/** What is left out of a destination's id: `webhook:global`, `webhook:instance/loja`, `webhook:instance/loja/n8n`, `none`. */
const DESTINATION = /^(?:none|([a-z]+):(?:global|instance\/[^/]+(?:\/[^/]+)?))$/;

/** Values of a filter that a person gave, by name. */
export interface GivenFilter {
  readonly event?: string | undefined;
  readonly destination?: string | undefined;
  readonly reason?: string | undefined;
  /** Epoch milliseconds. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface AskedOf {
  readonly of: Asked;
  /** Of destinations. */
  readonly kinds: readonly string[];
}

/** What a filter asks for that cannot exist: it would find nothing, and whoever asked would take that for the answer. */
export function filterProblems(filter: GivenFilter, { of, kinds }: AskedOf): string[] {
  const { event, destination, reason } = filter;
  return [
    ...(reason === undefined ? [] : reasonProblems(reason, of)),
    ...(event === undefined ? [] : eventProblems(event)),
    ...(destination === undefined ? [] : destinationProblems(destination, kinds)),
    ...(isReversed(filter) ? [REVERSED] : []),
  ];
}

const REVERSED =
  'since: lies after until, and nothing lies between: give the earlier of the two times here (3h is earlier than 2h)';

/** Whether a time ends before it begins. */
export function isReversed({ since, until }: Pick<GivenFilter, 'since' | 'until'>): boolean {
  return since !== undefined && until !== undefined && since > until;
}

/** What was probably meant by the name of a filter that does not exist; undefined where it exists, may exist, or is like no other. */
export function meantInstead(field: 'event' | 'reason', text: string, of: Asked): string | undefined {
  if (field === 'event') return meantEvent(text);
  const judged = judgeReason(text, of);
  return judged.kind === 'wrong' ? judged.meant : undefined;
}

type JudgedReason =
  | { readonly kind: 'fine' }
  | { readonly kind: 'wrong'; readonly meant: string | undefined };

const FINE: JudgedReason = { kind: 'fine' };

function judgeReason(reason: string, of: Asked): JudgedReason {
  if (of === 'dead-letters')
    return REASONS.includes(reason) ? FINE : { kind: 'wrong', meant: nearestName(reason, REASONS) };
  const judged = judgeCode(reason);
  if (judged.kind === 'known' || WORDS[of].includes(reason)) return FINE;
  const word = nearestName(reason, WORDS[of]);
  if (word !== undefined) return { kind: 'wrong', meant: word };
  if (judged.kind === 'slip') return { kind: 'wrong', meant: judged.meant };
  const mayBe = judged.kind === 'unlisted' || (of === 'deliveries' && WORD.test(reason));
  return mayBe ? FINE : { kind: 'wrong', meant: undefined };
}

function reasonProblems(reason: string, of: Asked): string[] {
  const judged = judgeReason(reason, of);
  if (judged.kind === 'fine') return [];
  const allowed = of === 'dead-letters' ? `one of ${REASONS.join(', ')}` : REASONS_HELP[of];
  return [`reason: there is none called ${reason}: it must be ${allowed}${suggestion(judged.meant)}`];
}

function eventProblems(event: string): string[] {
  const meant = meantEvent(event);
  return meant === undefined ? [] : [`event: ${event} is no event${suggestion(meant)}`];
}

/** Those that are like no other may be of a later core API. */
function meantEvent(event: string): string | undefined {
  if (keyNamed(event) !== undefined) return undefined;
  const spelling = /[.]/.test(event) ? 'event' : 'key';
  return nearestName(
    event,
    CATALOGUE.map((type) => type[spelling]),
  );
}

function destinationProblems(destination: string, kinds: readonly string[]): string[] {
  const found = DESTINATION.exec(destination);
  const all = [...kinds, 'unreadable'];
  const kind = found?.[1];
  if (found !== null && (kind === undefined || all.includes(kind))) return [];
  const forms = `one of ${all.join(', ')}, then :global or :instance/<name>, such as webhook:global; or none`;
  return [`destination: ${destination} is none: it must be ${forms}`];
}
