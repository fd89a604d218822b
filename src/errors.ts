import { isNativeError } from 'node:util/types';

/** Every error the relay raises on purpose: `code` is stable and is what code branches on, never the text. */
export abstract class RelayError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Wrong configuration: the message names every wrong variable and what it may be. Exit code 2. */
export class ConfigError extends RelayError {
  constructor(
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(
      'CONFIG_INVALID',
      `wrong configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
      options,
    );
  }
}

/** The body of a source message can never become an event. */
export class MalformedEventError extends RelayError {}

/** Redis cannot take or give what the relay must store; nothing was lost, the caller keeps what it holds. */
export class StoreUnavailableError extends RelayError {
  constructor(message: string, options?: ErrorOptions) {
    super('STORE_UNAVAILABLE', message, options);
  }
}

/** RabbitMQ cannot be reached, or does not let us in. */
export class BrokerUnavailableError extends RelayError {
  constructor(message: string, options?: ErrorOptions) {
    super('BROKER_UNAVAILABLE', message, options);
  }
}

/** What Redis answers, or StoreUnavailableError: a call may also fail while the connection stands (paused, full). */
export async function fromStore<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RelayError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailableError(`Redis does not do what it is asked for: ${reason}`, { cause: error });
  }
}

/** A tenant's webhook leads to where only the operator may open the way; the message names how. */
export class AddressRefusedError extends RelayError {
  constructor(message: string) {
    super('ADDRESS_REFUSED', message);
  }
}

/**
 * A name has no address: `ENOTFOUND` where it does not exist, `EAI_AGAIN` where its servers do not answer, and
 * `RESOLVER_DOWN` where no name can be resolved at the moment.
 */
export class NameError extends RelayError {
  constructor(
    override readonly code: 'ENOTFOUND' | 'EAI_AGAIN' | 'RESOLVER_DOWN',
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** An answer breaks a bound before it is one; the code says which. */
export class AnswerError extends RelayError {}

/** The operator's own proxy is away or serves nobody; says nothing about where the request was to go. */
export class ProxyError extends RelayError {}

/** The operator's proxy does not reach one destination, or refuses to. */
export class TunnelError extends RelayError {}

/** The `code` of any thrown value, for logs and attempt histories. */
export function errorCode(error: unknown): string {
  if (!isNativeError(error)) return 'UNKNOWN';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** OpenSSL's words for a certificate that leads to no authority that Node.js knows. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What one side says that speaks TLS to another which does not. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

/** The text of an error, without what OpenSSL puts into its own: places in its source. */
export function errorText(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const code = errorCode(error);
  if (NOT_TLS.has(code))
    return 'the other side does not speak TLS there: http:// or amqp:// instead of https:// or amqps://, or another port';
  return 'reason' in error && typeof error.reason === 'string' && code.startsWith('ERR_SSL_')
    ? `TLS failed: ${error.reason}`
    : error.message;
}

/** Code, text, and what helps where the text does not say it: for people, never for branching. */
export function explainError(error: unknown): string {
  const code = errorCode(error);
  const text = errorText(error);
  const remedy = UNKNOWN_AUTHORITY.has(code)
    ? '; NODE_EXTRA_CA_CERTS names a file of authorities to trust'
    : '';
  return `${code} ${text}`.trimEnd() + remedy;
}
