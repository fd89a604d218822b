import { errorCode } from '../errors';

/**
 * What Redis itself answered with. The protocol begins each error with its kind in capitals (`READONLY`, `OOM`, `MOVED`),
 * which stays the same between versions; the text behind it is for people. Undefined where no server answered.
 */
export function replyCode(error: unknown): string | undefined {
  if (!isReplyError(error)) return undefined;
  return /^-?([A-Z]+)\b/.exec(error.message)?.[1];
}

/** True where Redis answered with an error: the command had no effect. False: nobody knows. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** What happened to a question that Redis may have answered: its own words, or the code of what kept it from that. */
export function whyNot(error: unknown): string {
  return isReplyError(error) ? `it answers ${error.message}` : errorCode(error);
}
