import { instanceNameProblem } from '../settings/instance-names';
import { badRequest } from './http-errors';

/** The name of an instance as it stands in a path, decoded. @throws HttpError 400 */
export function instanceName(text: string): string {
  const problem = instanceNameProblem(text);
  if (problem !== undefined) throw badRequest([`instance: ${problem}, percent-encoded in the path`]);
  return text;
}

export function isInstanceName(text: string): boolean {
  return instanceNameProblem(text) === undefined;
}
