import { type LogFilter, OUTCOMES } from '../../delivery-log/log-filter';
import { parseMoment } from '../../time/moment';
import type { Visit } from '../screen';

/** What deliveries are looked for by, in the order in which a person is asked. */
export const SEARCH_FIELDS = [
  'message',
  'chat',
  'instance',
  'event',
  'destination',
  'reason',
  'since',
  'until',
] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

export interface FieldProblem {
  readonly field: SearchField;
  readonly kind: 'too-long' | 'no-moment';
}

/** A search as the address says it. */
export interface DeliverySearch {
  /** As it was given, shortened where it is too long: what the form shows again. */
  readonly given: Readonly<Record<string, string>>;
  readonly filter: LogFilter;
  readonly problems: readonly FieldProblem[];
}

/** Nothing that is logged is longer. */
export const MAX_TEXT = 1024;
/** Redis takes no larger times, and no smaller ones than 1970. */
const LATEST = 8_640_000_000_000_000;

/** @param fields those that are asked for */
export function deliverySearch(
  query: Visit['query'],
  now: number,
  fields: readonly SearchField[] = SEARCH_FIELDS,
): DeliverySearch {
  const given: Record<string, string> = {};
  const filter: Record<string, string | number> = {};
  const problems: FieldProblem[] = [];
  for (const field of fields) {
    const text = (Object.hasOwn(query, field) ? query[field] : undefined)?.trim() ?? '';
    if (text === '') continue;
    given[field] = text.slice(0, MAX_TEXT);
    const value = field === 'since' || field === 'until' ? momentOf(text, now) : text;
    if (text.length > MAX_TEXT) problems.push({ field, kind: 'too-long' });
    else if (value === undefined) problems.push({ field, kind: 'no-moment' });
    else filter[field] = value;
  }
  const outcome = OUTCOMES.find((each) => each === query['outcome']);
  if (outcome !== undefined) given['outcome'] = filter['outcome'] = outcome;
  return { given, filter, problems };
}

function momentOf(text: string, now: number): number | undefined {
  const moment = parseMoment(text, now);
  return moment === undefined ? undefined : Math.min(LATEST, Math.max(0, moment));
}
