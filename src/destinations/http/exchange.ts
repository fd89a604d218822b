import type { Dispatcher } from 'undici';
import type { AbortReason } from '../../pipeline/delivery';

/** Bytes of an answer that are read at all: what comes after them is cut off. */
const READ_CAP = 65_536;
/** Bytes of an answer that are kept for the attempt history. */
const KEEP_CAP = 2048;
/** An answer whose status is known gets this long to end; then it is judged by its status and cut off. */
const ANSWER_MS = 5000;

export interface HttpRequest {
  readonly path: string;
  /** Flat list of names and values. */
  readonly headers: string[];
  readonly body: Buffer;
}

/** How an exchange ended. */
export type HttpResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** First bytes of an answer other than 2xx. */
      readonly text: string;
      /** `Retry-After` of such an answer. */
      readonly retryAfter: string | undefined;
    }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'aborted'; readonly reason: AbortReason };

/**
 * One POST and its answer, of which `toOutcome` makes the outcome. A class instead of `undici.request`: no stream is made for the answer. It
 * answers to undici's own, older names of the callbacks, as those of the newer ones cost a controller and a table of
 * headers for each request; version 8 takes the newer ones only.
 */
export class HttpExchange<T> implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<T>;
  private resolve: (outcome: T) => void = () => {};
  private abortRequest: ((error: Error) => void) | undefined;
  private status = 0;
  private retryAfter: string | undefined;
  private kept = '';
  private read = 0;
  private ended = false;
  /** First look after the status came. */
  private answeredAt: number | undefined;

  constructor(
    dispatcher: Dispatcher,
    { path, headers, body }: HttpRequest,
    private readonly toOutcome: (result: HttpResult) => T,
  ) {
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
    try {
      // No spread: undici takes an object made that way apart twenty times slower.
      dispatcher.dispatch({ path, method: 'POST', headers, body }, this);
    } catch (error) {
      this.end({ kind: 'error', error });
    }
  }

  /** Its status is known: how it ends is, too. */
  get isAnswered(): boolean {
    return this.status !== 0;
  }

  abort(reason: AbortReason): void {
    if (this.ended) return;
    if (this.status !== 0) this.endByStatus();
    else this.end({ kind: 'aborted', reason });
    this.cutOff();
  }

  look(now: number): void {
    if (this.status === 0) return;
    this.answeredAt ??= now;
    if (now - this.answeredAt > ANSWER_MS) this.abort('timeout');
  }

  onConnect(abort: (error?: Error) => void): void {
    this.abortRequest = abort;
    if (this.ended) this.cutOff();
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    if (status < 200) return true;
    this.status = status;
    if (!isSuccess(status)) this.retryAfter = headerValue('retry-after', headers);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.read < KEEP_CAP && !isSuccess(this.status))
      this.kept += chunk.toString('utf8', 0, KEEP_CAP - this.read);
    this.read += chunk.length;
    if (this.read > READ_CAP) this.abort('timeout');
    return true;
  }

  onComplete(): void {
    this.endByStatus();
  }

  onError(error: Error): void {
    if (this.status !== 0) this.endByStatus();
    else this.end({ kind: 'error', error });
  }

  private endByStatus(): void {
    this.end({ kind: 'answer', status: this.status, text: this.kept, retryAfter: this.retryAfter });
  }

  private end(result: HttpResult): void {
    if (this.ended) return;
    this.ended = true;
    this.resolve(this.toOutcome(result));
  }

  private cutOff(): void {
    this.abortRequest?.(new Error('cut off'));
  }
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Value of the header `name` (lower case) in undici's list of names and values. */
function headerValue(name: string, headers: readonly Buffer[]): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toString('latin1').toLowerCase() === name)
      return headers[index + 1]?.toString('latin1');
  }
  return undefined;
}
