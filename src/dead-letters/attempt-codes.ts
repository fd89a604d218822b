import { getSystemErrorMap } from 'node:util';
import { almostSame, nearestName } from '../events/nearest-name';
import { LISTED_CODES } from '../pipeline/failure-cause';

/** Of attempts that the relay itself ended or could not make, of what Pusher is not sent, and of records that cannot be read. */
const OWN = [
  'ATTEMPT_ABORTED',
  'CHANNELS_UNKNOWN',
  'CIRCUIT_OPEN',
  'NAME_REFUSED',
  'NOT_SENT',
  'OVERSIZE',
  'RECORD_NEWER',
  'RECORD_UNREADABLE',
  'REFERENCE_TOO_LARGE',
  'SETTINGS_REMOVED',
  'SETTINGS_UNREADABLE',
  'SHUTDOWN',
  'STORE_UNAVAILABLE',
];

/** Codes that an attempt may end with and that are known; Node.js and its libraries have more. */
export const KNOWN_CODES: readonly string[] = [
  ...LISTED_CODES,
  ...OWN,
  ...[...getSystemErrorMap().values()].map(([code]) => code),
];
const ANSWER = /^HTTP_\d{3}$/;
const STATUS = /^(?:http)?[\s_-]*(\d{3})$/i;
/** Of codes of libraries, which nobody lists: only what is all but one that is known is a slip. */
const OF_LIBRARIES = /^(?:ERR_|UND_ERR_|HPE_|CERT_)/;
const CODE = /^[A-Z][A-Z0-9_]*$/;
/** What an error without a code is called in the history. */
const NAME_OF_ERROR = /^(?:[A-Z][A-Za-z0-9]*)?Error$/;

export type Judged =
  | { readonly kind: 'known' }
  /** It may be one of a library, of those that nobody lists. */
  | { readonly kind: 'unlisted' }
  | { readonly kind: 'slip'; readonly meant: string }
  /** No code looks like that. */
  | { readonly kind: 'none' };

/** Whether a text may be the code of an attempt, or is one that was misspelt. */
export function judgeCode(text: string): Judged {
  if (ANSWER.test(text) || KNOWN_CODES.includes(text)) return { kind: 'known' };
  if (NAME_OF_ERROR.test(text)) return { kind: 'unlisted' };
  const status = STATUS.exec(text)?.[1];
  const nearest = OF_LIBRARIES.test(text) ? almostSame : nearestName;
  const meant =
    status === undefined ? nearest(text, [...KNOWN_CODES, ...answersLike(text)]) : `HTTP_${status}`;
  if (meant !== undefined) return { kind: 'slip', meant };
  return { kind: CODE.test(text) ? 'unlisted' : 'none' };
}

/** HTTP_5O3: every answer that there may be is too many to compare with for any other text. */
function answersLike(text: string): string[] {
  if (!/^h?t?t?p?_?[1-5]/i.test(text) && !/^htt/i.test(text)) return [];
  return Array.from({ length: 500 }, (_, index) => `HTTP_${100 + index}`);
}
