import { badRequest } from './http-errors';

const MAX_LENGTH = 255;

/** The name of an instance as it stands in a path, decoded. @throws HttpError 400 */
export function instanceName(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: just those are refused
  if (text === '' || text.length > MAX_LENGTH || /[\u0000-\u001f\u007f\p{Surrogate}]/u.test(text)) {
    throw badRequest([
      `instance: must be the name of an instance, 1 to ${MAX_LENGTH} characters, percent-encoded in the path`,
    ]);
  }
  return text;
}
