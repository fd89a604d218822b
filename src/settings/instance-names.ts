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
