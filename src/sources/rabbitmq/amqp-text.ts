import { IllegalOperationError } from 'amqplib';
import { BrokerUnavailableError, errorText, RelayError } from '../../errors';

/** What happened, in the relay's words or the broker's: amqplib has no codes for most of its errors. */
export function amqpText(error: unknown): string {
  if (hasCode(error)) return errorText(error);
  const said = saidByBroker(error);
  if (said !== undefined) return `the broker says: ${said}`;
  if (error instanceof IllegalOperationError) return 'the channel is closed';
  const isUnsendable = error instanceof TypeError || error instanceof RangeError;
  return isUnsendable ? `it cannot be sent (${error.message})` : 'the connection to the broker ended';
}

/** Why no connection could be made. */
export function asUnavailable(error: unknown): unknown {
  if (hasCode(error)) return error;
  const said = saidByBroker(error);
  const text =
    said === undefined
      ? 'the broker ended the connection early'
      : `the broker refuses the connection: ${said}`;
  return new BrokerUnavailableError(text, { cause: error });
}

function hasCode(error: unknown): boolean {
  return (
    error instanceof RelayError ||
    (error instanceof Error && 'code' in error && typeof error.code === 'string')
  );
}

/** amqplib puts what the broker said into a sentence of its own. */
function saidByBroker(error: unknown): string | undefined {
  return error instanceof Error ? /with message "(.*)"/s.exec(error.message)?.[1] : undefined;
}
