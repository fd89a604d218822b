import type { Command } from 'ioredis';
import { errorCode, RelayError, StoreUnavailableError } from '../errors';
import { replyCode } from './reply-error';

/** What a command may know of its connection. */
export interface CallConnection {
  /** `ready` while commands may be sent. */
  readonly status: string;
}

/**
 * Makes a command fail with errors of ours where ioredis has no code for what happened, only a text: it could not be sent, its
 * connection ended, or no answer came in time. What Redis answers, and errors with codes, stay as they are.
 */
export function withOurErrors(command: Command, connection: CallConnection): { readonly sent: () => void } {
  const reject = command.reject;
  let wasSent = false;
  command.reject = (error) => reject(isUnnamed(error) ? named(error, wasSent, connection) : error);
  return {
    sent: () => {
      wasSent = true;
    },
  };
}

/** A code of the library's is the name of its class, at the most. */
function isUnnamed(error: Error): boolean {
  return !(error instanceof RelayError) && replyCode(error) === undefined && errorCode(error) === error.name;
}

/** An error of a connection. Without a code are only those of the reader of answers, which cannot read what came. */
export function connectionError(error: Error): Error {
  return errorCode(error) === 'Error'
    ? new StoreUnavailableError('what answers there is not Redis', { cause: error })
    : error;
}

function named(cause: Error, wasSent: boolean, { status }: CallConnection): StoreUnavailableError {
  return new StoreUnavailableError(whatHappened(wasSent, status), { cause });
}

function whatHappened(wasSent: boolean, status: string): string {
  if (!wasSent) return 'there is no connection to Redis';
  return status === 'ready'
    ? 'Redis has not answered in time'
    : 'the connection to Redis ended before it answered';
}
