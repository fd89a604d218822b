import { RelayError } from '../errors';

/** Exit codes of every command: 0 good, 1 a finding or a failure, 2 wrong usage or configuration. */
export const FINDING = 1;
export const USAGE = 2;

/** The command line says too little. */
export class UsageError extends RelayError {
  constructor(
    message: string,
    /** Each is a line of its own. */
    readonly details: readonly string[] = [],
  ) {
    super('USAGE', message);
  }
}

export type ExitCode = 0 | typeof FINDING | typeof USAGE;
