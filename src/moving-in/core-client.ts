import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'undici';
import type { OutgoingConfig } from '../config/outgoing-config';
import { errorCode, errorText, explainError } from '../errors';
import { outgoingClientWith } from '../network/outgoing';
import { type TextAnswer, textAnswerOf } from '../network/text-answer';
import { Backoff } from '../time/backoff';
import { CoreApiError } from './core-api-error';

export interface CoreClientParts {
  /** Of the core, with the path that a proxy puts before its routes. */
  readonly url: string;
  readonly key: string;
  readonly outgoing: OutgoingConfig;
  /** Requests at once. */
  readonly connections: number;
  /** Between tries, while the core does not serve. */
  readonly pauses?: { readonly firstMs: number; readonly lastMs: number };
  /** Bytes of one answer, at most. */
  readonly maxAnswer?: number;
  /** A request failed, and is made again. */
  readonly onRetry?: (reason: string, pauseMs: number) => void;
}

const TIMEOUT_MS = 60_000;
const TRIES = 5;
const PAUSES = { firstMs: 500, lastMs: 8000 };
/** A list of ten thousand instances has some tens of megabytes. */
const MAX_ANSWER = 268_435_456;
/** A proxy says so of what is behind it, and the core of itself while it starts. */
const UNAVAILABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_QUOTED = 200;
/** The Manager's address is the one that people see. */
export const ADDRESS_REMEDY =
  'give the address that its clients use, such as http://localhost:8080, without /manager or another path of a page';

/** Speaks the REST routes of a core (docs/core-api.md#rest). What goes wrong is said in plain words. */
export class CoreClient {
  private readonly client: Pool;
  private readonly path: string;

  constructor(private readonly parts: CoreClientParts) {
    const { origin, pathname } = new URL(parts.url);
    this.path = pathname.replace(/\/+$/, '');
    const { outgoing, connections, maxAnswer = MAX_ANSWER } = parts;
    this.client = outgoingClientWith(outgoing, origin, { connections, maxAnswer });
  }

  /** What the core answers; undefined where the answer is empty. @throws CoreApiError */
  async ask(method: 'GET' | 'POST', route: string, body?: object): Promise<unknown> {
    const pauses = new Backoff({ ...PAUSES, ...this.parts.pauses, jitter: 0.2 });
    for (let tries = 1; ; tries++) {
      try {
        return this.contentOf(route, await this.send(method, route, body));
      } catch (error) {
        if (tries >= TRIES || !isPassing(error)) throw error;
        const pauseMs = pauses.next();
        this.parts.onRetry?.(errorText(error), pauseMs);
        await delay(pauseMs);
      }
    }
  }

  /** @param core the name of what was expected to answer */
  isNoList(core: string): CoreApiError {
    return new CoreApiError(
      'CORE_NOT_FOUND',
      `what answers at ${this.parts.url} is not ${core}: its answer is no list of instances; ${ADDRESS_REMEDY}`,
    );
  }

  close(): Promise<void> {
    return this.client.destroy();
  }

  private async send(method: 'GET' | 'POST', route: string, body: object | undefined): Promise<TextAnswer> {
    try {
      const answer = await this.client.request({
        path: this.path + route,
        method,
        headers: {
          apikey: this.parts.key,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return await textAnswerOf(answer);
    } catch (cause) {
      // The next one would be as large.
      if (errorCode(cause) === 'ANSWER_TOO_LARGE') throw this.isNoAnswer(cause);
      throw new CoreApiError(
        'CORE_UNREACHABLE',
        `${this.parts.url} cannot be reached (${explainError(cause)}): check that it is the core API's address as seen from here`,
        { cause },
      );
    }
  }

  private contentOf(route: string, { status, type, location, text }: TextAnswer): unknown {
    if (REDIRECTS.has(status)) throw this.isElsewhere(status, location);
    const value = jsonOf(text);
    if (fieldOf(value, 'code') === 'LICENSE_REQUIRED') throw this.notActivated(value);
    if (UNAVAILABLE.has(status)) throw this.unavailable(status);
    if (/html/i.test(type) || /^\s*</.test(text)) throw this.isWebPage(status);
    if (status === 401 || status === 403) throw this.keyRefused(status);
    // evolution-go says so in plain text.
    if (status === 404) throw missing(route, messageOf(value));
    if (value === undefined && text.trim() !== '') throw this.isNoJson(status);
    if (status < 200 || status > 299) throw refused(route, status, messageOf(value));
    return value;
  }

  private notActivated(value: unknown): CoreApiError {
    const address = fieldOf(value, 'register_url');
    const where = typeof address === 'string' ? ` at ${address}` : '';
    return new CoreApiError(
      'CORE_NOT_ACTIVATED',
      `the core API is not activated (LICENSE_REQUIRED): activate it${where}, as its settings cannot be read before that`,
    );
  }

  /** It is not followed: the key goes to the address that was given, and to no other. */
  private isElsewhere(status: number, location: string): CoreApiError {
    const where = location === '' ? '' : ` to ${location.slice(0, MAX_QUOTED)}`;
    return new CoreApiError(
      'CORE_NOT_FOUND',
      `what answers at ${this.parts.url} redirects${where} (HTTP ${status}): give the address where the core API itself answers`,
    );
  }

  private unavailable(status: number): CoreApiError {
    return new CoreApiError(
      'CORE_UNAVAILABLE',
      `${this.parts.url} does not serve at the moment (HTTP ${status}): the core API is starting or gone, or the proxy before it does not reach it`,
    );
  }

  private isWebPage(status: number): CoreApiError {
    return new CoreApiError(
      'CORE_NOT_FOUND',
      `what answers at ${this.parts.url} is a web page (HTTP ${status}), not the core API: ${ADDRESS_REMEDY}`,
    );
  }

  private isNoJson(status: number): CoreApiError {
    return new CoreApiError(
      'CORE_NOT_FOUND',
      `what answers at ${this.parts.url} is not the core API: its answer (HTTP ${status}) is no JSON; ${ADDRESS_REMEDY}`,
    );
  }

  private isNoAnswer(cause: unknown): CoreApiError {
    return new CoreApiError(
      'CORE_NOT_FOUND',
      `what answers at ${this.parts.url} is not the core API: its answer does not end, or is larger than any list of instances; ${ADDRESS_REMEDY}`,
      { cause },
    );
  }

  private keyRefused(status: number): CoreApiError {
    return new CoreApiError(
      'CORE_KEY_REFUSED',
      `the core API refuses the key (HTTP ${status}): AUTHENTICATION_API_KEY, or --key, must be its global key and not that of an instance`,
    );
  }
}

/** Whether it may be gone at the next try. A change that may have been made is only made again, which does no harm. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof CoreApiError && (error.code === 'CORE_UNREACHABLE' || error.code === 'CORE_UNAVAILABLE')
  );
}

function missing(route: string, message: string): CoreApiError {
  return new CoreApiError('CORE_MISSING', `the core API has no ${route} (HTTP 404${quoted(message)})`);
}

function refused(route: string, status: number, message: string): CoreApiError {
  return new CoreApiError('CORE_REFUSED', `the core API refuses ${route} (HTTP ${status}${quoted(message)})`);
}

function quoted(message: string): string {
  return message === '' ? '' : `: ${message.slice(0, MAX_QUOTED)}`;
}

/** Undefined where it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `{"response": {"message": …}}`, of nested lists or of one text. */
function messageOf(value: unknown): string {
  const message = fieldOf(fieldOf(value, 'response'), 'message') ?? fieldOf(value, 'error');
  return [message]
    .flat(3)
    .filter((line) => typeof line === 'string')
    .join('; ');
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
