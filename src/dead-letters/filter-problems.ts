import { CATALOGUE } from '../events/catalogue';
import { keyNamed } from '../events/event-names';
import { didYouMean } from '../events/nearest-name';
import { DEAD_REASONS } from '../pipeline/parking';

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

/** What a filter for reasons may say. */
export const REASONS: readonly string[] = [...DEAD_REASONS, ...DETAILS];
/** The same as a line of help. */
export const REASONS_HELP = `${DEAD_REASONS.join(', ')}, or the code of a malformed message`;

/** What is left out of a destination's id: `webhook:global`, `webhook:instance/loja`, `webhook:instance/loja/n8n`, `none`. */
const DESTINATION = /^(?:none|([a-z]+):(?:global|instance\/[^/]+(?:\/[^/]+)?))$/;

/** Values of a filter that a person gave, by name. */
export interface GivenFilter {
  readonly event?: string | undefined;
  readonly destination?: string | undefined;
  readonly reason?: string | undefined;
}

/**
 * What a filter names that does not exist: it would find nothing, and whoever asked would take that for the answer.
 *
 * @param kinds of destinations
 */
export function filterProblems(
  { event, destination, reason }: GivenFilter,
  kinds: readonly string[],
): string[] {
  return [
    ...(reason === undefined ? [] : reasonProblems(reason)),
    ...(event === undefined ? [] : eventProblems(event)),
    ...(destination === undefined ? [] : destinationProblems(destination, kinds)),
  ];
}

function reasonProblems(reason: string): string[] {
  if (REASONS.includes(reason)) return [];
  return [`reason: there is none called ${reason}: it must be one of ${REASONS.join(', ')}`];
}

/** Those that are like no other may be of a later core API. */
function eventProblems(event: string): string[] {
  if (keyNamed(event) !== undefined) return [];
  const spelling = /[.]/.test(event) ? 'event' : 'key';
  const meant = didYouMean(
    event,
    CATALOGUE.map((type) => type[spelling]),
  );
  return meant === '' ? [] : [`event: ${event} is no event${meant}`];
}

function destinationProblems(destination: string, kinds: readonly string[]): string[] {
  const found = DESTINATION.exec(destination);
  const all = [...kinds, 'unreadable'];
  const kind = found?.[1];
  if (found !== null && (kind === undefined || all.includes(kind))) return [];
  const forms = `one of ${all.join(', ')}, then :global or :instance/<name>, such as webhook:global; or none`;
  return [`destination: ${destination} is none: it must be ${forms}`];
}
