import { IllegalOperationError } from 'amqplib';
import { BrokerUnavailableError, errorText, RelayError } from '../../errors';
import { connectOptions } from './broker-address';

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
export function asUnavailable(error: unknown, uri: string): unknown {
  if (hasCode(error)) return error;
  return new BrokerUnavailableError(whyUnavailable(error, uri), { cause: error });
}

function whyUnavailable(error: unknown, uri: string): string {
  // amqplib waited for the answer to the opening of the virtual host; what the broker sent in its place it does not say.
  if (error instanceof Error && error.message.includes('ConnectionOpenOk')) {
    const vhost = JSON.stringify(decodeURIComponent(String(connectOptions(uri, 0).vhost)));
    return `the broker does not open the virtual host ${vhost}: there is none of this name, or the user may not use it; RABBITMQ_URI ends with it, percent-encoded (/prod is %2Fprod)`;
  }
  const said = saidByBroker(error);
  return said === undefined
    ? 'the broker ended the connection early'
    : `the broker refuses the connection: ${said}`;
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
