import { MAX_INSTANCE_NAME_LENGTH } from './limits';

/** Characters that no broker, header, log or terminal takes well: controls, line separators, halves of surrogate pairs. */
const WRONG_CHARACTER = /[\p{Cc}\p{Surrogate}\u2028\u2029]/u;

/**
 * Why a text cannot be the name of an instance, as the end of a sentence; undefined where it can. The core API takes as
 * many characters; what becomes of them at a broker, which counts bytes, is checked where a broker is asked for.
 */
export function instanceNameProblem(name: string): string | undefined {
  const isFit = name !== '' && !WRONG_CHARACTER.test(name) && name.length <= MAX_INSTANCE_NAME_LENGTH;
  return isFit
    ? undefined
    : `must be the name of an instance, 1 to ${MAX_INSTANCE_NAME_LENGTH} characters, no control characters among them`;
}

/** Begins a warning about the name of an instance. */
export const ABOUT_NAME = 'instance: ';

/**
 * Of a name with blanks at its ends, which nobody sees. It is taken as it is, as such instances exist: the core API takes the
 * blanks away only from 2.4 on, and events carry the name that it has there.
 */
export function blanksInName(name: string): string | undefined {
  const trimmed = name.trim();
  return trimmed === name
    ? undefined
    : `${ABOUT_NAME}${JSON.stringify(name)} has blanks at its ends: it is another instance than ${JSON.stringify(trimmed)}, and from 2.4 on the core API takes such blanks away`;
}
