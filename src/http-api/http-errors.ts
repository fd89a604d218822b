import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply } from 'fastify';
import { errorText, RelayError, StoreUnavailableError } from '../errors';
import { boundedLines, shortened } from '../settings/bounds';
import {
  SettingsConflictError,
  SettingsMissingError,
  SettingsRefusedError,
  SettingsTakenError,
  SettingsUnreadableError,
} from '../settings/settings-errors';

/** The message for a client: one sentence, several, or, as in the core API's validation, a list within a list. */
export type HttpMessage = string | readonly string[] | readonly (readonly string[])[];

/** Every error of the gateway, in the shape of the core API (docs/core-api.md#rest). */
export interface ErrorBody {
  readonly status: number;
  readonly error: string;
  readonly response: { readonly message: HttpMessage };
}

/** An answer that is no success, on purpose. */
export class HttpError extends RelayError {
  constructor(
    readonly status: number,
    readonly told: HttpMessage,
    readonly retryAfterSeconds?: number,
  ) {
    super(`HTTP_${status}`, JSON.stringify(told));
  }
}

export const unauthorized = (): HttpError => new HttpError(401, 'Unauthorized');
export const notFound = (message: string): HttpError => new HttpError(404, [message]);
/** Problems with a body, each naming its field. */
export const badRequest = (problems: readonly string[]): HttpError => new HttpError(400, [problems]);

export const tooLarge = (limit: number): HttpError =>
  new HttpError(413, [`the body must be no larger than ${limit} bytes`]);

/** Bounded, as messages name what the client sent: an answer is no copy of a large request. */
export function errorBody(status: number, message: HttpMessage): ErrorBody {
  return { status, error: STATUS_CODES[status] ?? 'Error', response: { message: bounded(message) } };
}

function bounded(message: HttpMessage): HttpMessage {
  if (typeof message === 'string') return shortened(message);
  const lines = message.flat();
  return message.some((line) => typeof line !== 'string') ? [boundedLines(lines)] : boundedLines(lines);
}

/** What helps, beside the reason: nobody but the operator may know the key. */
function unreadable({ message }: SettingsUnreadableError): HttpError {
  const remedy = 'the operator can mend the key, replace them (`settings set`), or DELETE the instance';
  return new HttpError(409, [`${message}: ${remedy}`]);
}

/** What only the process knows, for errors that were not raised on purpose. */
export interface ErrorContext {
  /** Whether Redis is there: where it is not, that is the reason. */
  readonly isStoreReady: () => boolean;
  readonly onUnexpected: (error: unknown) => void;
}

/**
 * Turns any error into the message for the client. What is not meant for the client goes into the log.
 *
 * @param bodyLimit of the route, in bytes
 */
export function asHttpError(
  error: unknown,
  { isStoreReady, onUnexpected }: ErrorContext,
  bodyLimit = BODY_LIMIT,
): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof SettingsRefusedError) return badRequest(error.problems);
  if (error instanceof SettingsMissingError) return notFound(errorText(error));
  if (error instanceof SettingsTakenError) return new HttpError(403, [errorText(error)]);
  if (error instanceof SettingsUnreadableError) return unreadable(error);
  if (error instanceof SettingsConflictError) return new HttpError(409, [errorText(error)]);
  const { statusCode, code } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new HttpError(415, ['the body must be JSON, with content-type application/json']);
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return tooLarge(bodyLimit);
  }
  if (code === 'FST_ERR_BAD_URL') {
    // Its own message repeats the address, of which the query may hold a key.
    return new HttpError(400, ['the path must be percent-encoded UTF-8']);
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new HttpError(statusCode, [
      WORDS[code ?? ''] ?? `the request was refused (${code ?? statusCode})`,
    ]);
  }
  if (!isStoreReady()) {
    return new HttpError(503, ['Redis cannot be reached: try again'], RETRY_AFTER_SECONDS);
  }
  if (error instanceof StoreUnavailableError) {
    onUnexpected(error);
    return new HttpError(503, ['Redis does not answer, or takes nothing: try again'], RETRY_AFTER_SECONDS);
  }
  onUnexpected(error);
  return new HttpError(500, 'the gateway failed; its log says why');
}

/** What Fastify and its parsers refuse, in words of ours. */
const WORDS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'body: must be JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body: must be JSON, and is empty',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body is not as long as content-length says',
  FST_ERR_MAX_LIMIT: 'a part of the path is too long',
};

/** Of routes that check a key first: a list of ids of dead letters is the largest body. */
export const BODY_LIMIT = 1_048_576;
const RETRY_AFTER_SECONDS = 5;

export function send(reply: FastifyReply, { status, told, retryAfterSeconds }: HttpError): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  return reply.code(status).send(errorBody(status, told));
}
