import { type Asked, isReversed, meantInstead } from '../../dead-letters/filter-problems';
import { type LogFilter, OUTCOMES } from '../../delivery-log/log-filter';
import { parseMoment } from '../../time/moment';
import type { Language } from '../language';
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

export type FieldProblem =
  | { readonly field: SearchField; readonly kind: 'too-long' | 'no-moment' | 'reversed' }
  /** It would find nothing, and whoever asked would take that for the answer. */
  | { readonly field: SearchField; readonly kind: 'misspelt'; readonly meant: string };

/** A search as the address says it. */
export interface DeliverySearch {
  /** As it was given, shortened where it is too long: what the form shows again. */
  readonly given: Readonly<Record<string, string>>;
  readonly filter: LogFilter;
  readonly problems: readonly FieldProblem[];
}

/** What a page of a search is made of, beside what was found: whoever asks the same is shown the same. */
export interface AskedSearch extends Pick<DeliverySearch, 'given' | 'problems'> {
  readonly language: Language;
  /** The viewer is kept to one instance, and chooses none. */
  readonly isOfOne: boolean;
}

/** Nothing that is logged is longer. */
export const MAX_TEXT = 1024;
/** Redis takes no larger times, and no smaller ones than 1970. */
const LATEST = 8_640_000_000_000_000;

/** What is searched, and the fields that are asked for. */
export interface Searched {
  readonly of: Asked;
  readonly fields: readonly SearchField[];
}

const DELIVERIES: Searched = { of: 'deliveries', fields: SEARCH_FIELDS };

export function askedBy({ language, viewer }: Visit, { given, problems }: DeliverySearch): AskedSearch {
  return { language, given, problems, isOfOne: viewer.kind === 'instance' };
}

export function deliverySearch(
  query: Visit['query'],
  now: number,
  { of, fields }: Searched = DELIVERIES,
): DeliverySearch {
  const given: Record<string, string> = {};
  const filter: Record<string, string | number> = {};
  const problems: FieldProblem[] = [];
  for (const field of fields) {
    const text = (Object.hasOwn(query, field) ? query[field] : undefined)?.trim() ?? '';
    if (text === '') continue;
    given[field] = text.slice(0, MAX_TEXT);
    const read = readField(field, text, { of, now });
    if ('kind' in read) problems.push(read);
    else filter[field] = read.value;
  }
  if (isReversed(filter)) problems.push({ field: 'since', kind: 'reversed' });
  const outcome = OUTCOMES.find((each) => each === query['outcome']);
  if (outcome !== undefined) given['outcome'] = filter['outcome'] = outcome;
  return { given, filter, problems };
}

function readField(
  field: SearchField,
  text: string,
  { of, now }: { readonly of: Asked; readonly now: number },
): FieldProblem | { readonly value: string | number } {
  if (text.length > MAX_TEXT) return { field, kind: 'too-long' };
  if (field === 'since' || field === 'until') {
    const value = momentOf(text, now);
    return value === undefined ? { field, kind: 'no-moment' } : { value };
  }
  const meant = field === 'event' || field === 'reason' ? meantInstead(field, text, of) : undefined;
  return meant === undefined ? { value: text } : { field, kind: 'misspelt', meant };
}

function momentOf(text: string, now: number): number | undefined {
  const moment = parseMoment(text, now);
  return moment === undefined ? undefined : Math.min(LATEST, Math.max(0, moment));
}
