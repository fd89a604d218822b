import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import { errorCode, RelayError } from '../../errors';

/** How long SQS may take. A long poll has its own wait on top. */
export interface CallLimits {
  readonly connectMs: number;
  readonly answerMs: number;
}

/** With the longest wait of a poll, 20 s, a service that says nothing is noticed within 25 s. */
export const CALL_LIMITS: CallLimits = { connectMs: 5000, answerMs: 5000 };

/** Polls, deletes and extensions side by side. */
const SOCKETS = 128;
/** Ten messages of a megabyte each, of which JSON may make six. Beyond that nothing is read. */
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
/** How often an answer that takes its time is looked at: the SDK holds all of it, and asks nobody. */
const LOOK_MS = 50;
/** The SDK's name of the call that waits. */
const POLL = 'ReceiveMessageCommand';

/** SQS did not answer in time. The SDK does not try again by itself, as this has no cause that it knows. */
export class SqsSilentError extends RelayError {
  constructor(ms: number) {
    super('SQS_SILENT', `SQS did not answer within ${ms} ms`);
  }
}

/** SQS cannot be reached. Not for the SDK to try again, as `reason` would be were it the code. */
export class SqsUnreachableError extends RelayError {
  constructor(
    /** Code of the network's own error, such as ECONNREFUSED. */
    readonly reason: string,
  ) {
    super('SQS_UNREACHABLE', `SQS cannot be reached (${reason})`);
  }
}

/** What answers is not SQS, or has no end: a proxy, or another program. */
export class SqsUnreadableError extends RelayError {
  constructor(what: string) {
    super('SQS_UNREADABLE', `what answers there is not SQS: ${what}`);
  }
}

/** The client is closed: a call that the SDK would begin once more is not begun. */
class SqsClosedError extends RelayError {
  constructor() {
    super('SQS_CLOSED', 'the connection to SQS is closed');
  }
}

/**
 * The connections to SQS. One that is silent is destroyed with the call on it, and so are those that lie idle: they were
 * made over the same path, and the next calls would only find out one by one.
 */
export class Connections {
  private readonly http = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS });
  private readonly https = new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS });
  private closed = false;

  constructor(private readonly limits: CallLimits) {}

  get requestHandler(): NonNullable<SQSClientConfig['requestHandler']> {
    return {
      connectionTimeout: this.limits.connectMs,
      requestTimeout: this.limits.answerMs,
      throwOnRequestTimeout: true,
      httpAgent: this.http,
      httpsAgent: this.https,
      // It would write plain text among the log lines.
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    };
  }

  /** Puts itself nearest to the network, inside of what tries again. */
  watch(client: SQSClient): void {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (this.closed) throw new SqsClosedError();
        try {
          const result = await next(args);
          this.limitBody(result.response);
          return result;
        } catch (error) {
          throw this.translate(error, context.commandName === POLL);
        }
      },
      { step: 'deserialize', priority: 'low', name: 'silence' },
    );
  }

  close(): void {
    this.closed = true;
    this.http.destroy();
    this.https.destroy();
  }

  /** Also where a call was given up on by another clock than the request's own. */
  dropIdle(): void {
    for (const agent of [this.http, this.https]) {
      for (const sockets of Object.values(agent.freeSockets)) {
        for (const socket of [...(sockets ?? [])]) socket.destroy();
      }
    }
  }

  /** Errors of the relay's own have no cause: the SDK would find a timeout in it and try again. */
  private translate(error: unknown, isPoll: boolean): unknown {
    if (!(error instanceof Error)) return error;
    if (error.name === 'TimeoutError') {
      this.dropIdle();
      return new SqsSilentError(this.limits.answerMs);
    }
    // Tried again here, a poll would last for longer than its limit, and what it brings then would be lost to all for
    // the time of a lease. The source polls again by itself.
    return isPoll && 'syscall' in error ? new SqsUnreachableError(errorCode(error)) : error;
  }

  /** The SDK's own limit ends with the headers of the answer. */
  private limitBody(response: unknown): void {
    const body = bodyOf(response);
    if (body === undefined) return;
    const { answerMs } = this.limits;
    const timer = setTimeout(() => {
      this.dropIdle();
      body.destroy(new SqsSilentError(answerMs));
    }, answerMs);
    const before = bytesRead(body);
    const look = setInterval(() => {
      if (bytesRead(body) - before > MOST_ANSWER_BYTES)
        body.destroy(new SqsUnreadableError('its answer has no end'));
    }, LOOK_MS);
    body.once('close', () => {
      clearTimeout(timer);
      clearInterval(look);
    });
  }
}

interface Body {
  destroy(error: Error): unknown;
  once(event: 'close', listener: () => void): unknown;
  readonly socket?: { readonly bytesRead: number } | null;
}

/** By its connection, which it has to itself. */
function bytesRead({ socket }: Body): number {
  return socket?.bytesRead ?? 0;
}

function bodyOf(response: unknown): Body | undefined {
  if (typeof response !== 'object' || response === null || !('body' in response)) return undefined;
  const { body } = response;
  return isBody(body) ? body : undefined;
}

function isBody(body: unknown): body is Body {
  return typeof body === 'object' && body !== null && 'destroy' in body && 'once' in body;
}
