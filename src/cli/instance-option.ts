import { InvalidArgumentError } from 'commander';
import { blanksInName, instanceNameProblem } from '../settings/instance-names';
import { complain } from './output';

/** The name of an instance on the command line. */
export function parseInstance(text: string): string {
  const problem = instanceNameProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  const blanks = blanksInName(text);
  if (blanks !== undefined) complain(`warning: ${blanks}`);
  return text;
}
