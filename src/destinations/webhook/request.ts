import type { Dispatcher } from 'undici';
import type { AbortReason, Outcome, RunningAttempt } from '../../pipeline/delivery';
import { judgeAnswer, judgeError } from './answer';

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

/** Sends one POST and judges its answer. A class instead of `undici.request`: no stream is made for the body. */
export class WebhookRequest implements RunningAttempt, Dispatcher.DispatchHandler {
  readonly outcome: Promise<Outcome>;
  private resolve: (outcome: Outcome) => void = () => {};
  private controller: Dispatcher.DispatchController | undefined;
  private status = 0;
  private retryAfter: string | undefined;
  private kept = '';
  private read = 0;
  private ended = false;
  /** First look after the status came. */
  private answeredAt: number | undefined;

  constructor(
    dispatcher: Dispatcher,
    request: HttpRequest,
    private readonly rejectedStatuses: ReadonlySet<number>,
  ) {
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
    try {
      dispatcher.dispatch({ ...request, method: 'POST' }, this);
    } catch (error) {
      this.end(judgeError(error));
    }
  }

  abort(reason: AbortReason): void {
    if (this.ended) return;
    if (this.status !== 0) this.endByStatus();
    else if (reason === 'timeout') this.end({ kind: 'failed', code: 'TIMEOUT' });
    else this.end({ kind: 'interrupted', code: 'SHUTDOWN' });
    this.cutOff();
  }

  look(now: number): void {
    if (this.status === 0) return;
    this.answeredAt ??= now;
    if (now - this.answeredAt > ANSWER_MS) this.abort('timeout');
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.ended) this.cutOff();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.status = status;
    const retryAfter = headers['retry-after'];
    this.retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.read < KEEP_CAP) this.kept += chunk.toString('utf8', 0, KEEP_CAP - this.read);
    this.read += chunk.length;
    if (this.read > READ_CAP) this.abort('timeout');
  }

  onResponseEnd(): void {
    this.endByStatus();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.status !== 0) this.endByStatus();
    else this.end(judgeError(error));
  }

  private endByStatus(): void {
    this.end(judgeAnswer(this.status, this.rejectedStatuses, this.kept, this.retryAfter, Date.now()));
  }

  private end(outcome: Outcome): void {
    if (this.ended) return;
    this.ended = true;
    this.resolve(outcome);
  }

  private cutOff(): void {
    this.controller?.abort(new Error('cut off'));
  }
}
