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
    throw new StoreUnavailableError(`Redis does not do what it is asked for: ${errorText(error)}`, {
      cause: error,
    });
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

/** What ends by `AbortSignal.timeout` is thrown as no error of the language, and without a code. */
const TIMED_OUT = 'TimeoutError';

/** The `code` of any thrown value, for logs and attempt histories. */
export function errorCode(error: unknown): string {
  if (error instanceof DOMException && error.name === TIMED_OUT) return 'TIMEOUT';
  if (!isNativeError(error)) return 'UNKNOWN';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** What was thrown, as an error: libraries may throw anything. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

const NO_TLS =
  'the other side does not speak TLS there: http:// or amqp:// instead of https:// or amqps://, or another port';
/** What Node.js, OpenSSL and undici call by a code, in the relay's words. Codes stay the same between versions, texts do not. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there, or it refuses connections',
  ECONNRESET: 'the other side ended the connection',
  ECONNABORTED: 'the connection was ended',
  EPIPE: 'the other side ended the connection',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'the network has no way to that address',
  ENETUNREACH: 'the network has no way to that address',
  EHOSTDOWN: 'no machine answers at that address',
  EADDRNOTAVAIL: 'this machine has no such address',
  EADDRINUSE: 'another process listens on that port',
  ENOTFOUND: 'the name has no address',
  EAI_AGAIN: 'the name servers do not answer',
  EACCES: 'this process lacks the permission',
  EPERM: 'this process lacks the permission',
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EAGAIN: 'it is not ready yet',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EMFILE: 'this process has as many files and connections open as it may (ulimit -n)',
  ENFILE: 'this machine has as many files and connections open as it may',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: compare the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  TIMEOUT: 'it did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection was made in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer did not end in time',
  UND_ERR_HEADERS_OVERFLOW: 'the head of the answer is too large',
  UND_ERR_SOCKET: 'the other side ended the connection',
  UND_ERR_DESTROYED: 'the connection was ended',
  UND_ERR_CLOSED: 'the connection was ended',
  UND_ERR_ABORTED: 'the request was ended',
};

/** Codes of the same kind that are not listed one by one. */
const KINDS: readonly (readonly [beginning: string, words: string])[] = [
  ['UND_ERR', 'the request failed'],
  ['HPE_', 'what came back is no HTTP answer'],
  ['ERR_SSL_', 'TLS could not be agreed on'],
];

/** OpenSSL's words for a certificate that leads to no authority that Node.js knows. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const NO_AUTHORITY = 'the certificate is by no authority that is known here';

/**
 * What happened, in the relay's words; what a server answered is quoted. For people, never for branching. Errors of a library
 * without a code are given one where the library is called (redis/call-errors.ts, sources/rabbitmq/session.ts), so that what
 * is left is a fault of the relay's own, whose text leads to it.
 */
export function errorText(error: unknown): string {
  if (!isNativeError(error)) return wordsOf(errorCode(error)) ?? String(error);
  if (error instanceof RelayError) return error.message;
  const code = errorCode(error);
  const words = wordsOf(code) ?? ('syscall' in error ? 'the system does not do it' : undefined);
  if (words === undefined) return error.message === '' ? code : error.message;
  const where = placeOf(error);
  return where === undefined ? words : `${words} (${where})`;
}

function wordsOf(code: string): string | undefined {
  if (UNKNOWN_AUTHORITY.has(code)) return NO_AUTHORITY;
  return WORDS[code] ?? KINDS.find(([beginning]) => code.startsWith(beginning))?.[1];
}

/** A code alone, with what it means where that is known: for people, never for branching. */
export function explainCode(code: string): string {
  const words = wordsOf(code);
  return words === undefined ? code : `${code} ${words}`;
}

/** The address, name or file that Node.js names beside the code. */
function placeOf(error: NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string }) {
  const { address, port, hostname, path } = error;
  if (address !== undefined) return port === undefined ? address : `${address} port ${port}`;
  return hostname ?? path;
}

/** Code, text, and what helps where the text does not say it: for people, never for branching. */
export function explainError(error: unknown): string {
  const code = errorCode(error);
  const text = errorText(error);
  const remedy = UNKNOWN_AUTHORITY.has(code)
    ? '; NODE_EXTRA_CA_CERTS names a file of authorities to trust'
    : '';
  return (text === code ? code : `${code} ${text}`) + remedy;
}
