import type { AbortReason, Outcome, RunningAttempt } from '../../pipeline/delivery';
import type { HttpExchange, HttpResult } from '../http/exchange';

/** One event as Pusher gets it. */
export interface BatchEvent {
  readonly channel: string;
  readonly name: string;
  /** Text: what Pusher counts, and what clients parse. */
  readonly data: string;
}

/** A request under way with several events. */
export class SharedRequest {
  private firstLook: number | undefined;

  constructor(
    private readonly exchange: HttpExchange<HttpResult>,
    /** Events that still wait for its answer. */
    private waiting: number,
    private readonly timeoutMs: number,
  ) {}

  /** One event does not wait any longer. False where it does not matter: all get their outcome from the request. */
  leave(reason: AbortReason): boolean {
    if (this.waiting > 1 && !this.exchange.isAnswered) {
      this.waiting--;
      return true;
    }
    this.exchange.abort(reason);
    return false;
  }

  look(now: number): void {
    this.firstLook ??= now;
    if (now - this.firstLook >= this.timeoutMs) this.exchange.abort('timeout');
    else this.exchange.look(now);
  }
}

/** In whose line an event waits. */
export interface BatchEntryOwner {
  readonly timeoutMs: number;
  /** It waits no longer, and was never sent. */
  withdraw(entry: BatchEntry): void;
}

/** One event on its way to Pusher: a delivery of its own, although it shares its request with others. */
export class BatchEntry implements RunningAttempt {
  readonly outcome: Promise<Outcome>;
  readonly text: string;
  readonly channel: string;
  private resolve: (outcome: Outcome) => void = () => {};
  private shared: SharedRequest | undefined;
  private firstLook: number | undefined;
  /** Whether a request with it was ever begun. */
  private sent = false;
  private ended = false;

  constructor(
    event: BatchEvent,
    /** Epoch milliseconds. */
    readonly since: number,
    private readonly owner: BatchEntryOwner,
  ) {
    this.channel = event.channel;
    this.text = `{"name":${JSON.stringify(event.name)},"channel":"${event.channel}","data":${JSON.stringify(event.data)}}`;
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get isOpen(): boolean {
    return !this.ended;
  }

  share(shared: SharedRequest): void {
    this.shared = shared;
    this.sent = true;
  }

  /** Its request has ended, and did not decide about it. */
  unshare(): void {
    this.shared = undefined;
  }

  end(outcome: Outcome): void {
    if (this.ended) return;
    this.ended = true;
    this.resolve(outcome);
  }

  abort(reason: AbortReason): void {
    if (this.ended) return;
    if (this.shared?.leave(reason) === false) return;
    if (!this.sent) this.owner.withdraw(this);
    this.end(this.abortedBy(reason));
  }

  /** Waiting in line and the request have the same time each: one does not shorten the other. */
  look(now: number): void {
    if (this.sent) return this.shared?.look(now);
    this.firstLook ??= now;
    if (now - this.firstLook >= this.owner.timeoutMs) this.abort('timeout');
  }

  /** What waited in line all the time was never tried. */
  private abortedBy(reason: AbortReason): Outcome {
    if (reason === 'shutdown') return { kind: 'interrupted', code: 'SHUTDOWN' };
    return this.sent
      ? { kind: 'failed', code: 'TIMEOUT', overloaded: true }
      : { kind: 'interrupted', code: 'NOT_SENT' };
  }
}
