import type { Ending, HttpExchange } from '../../network/exchange';
import type { AbortReason, Outcome, RunningAttempt } from '../../pipeline/delivery';

/** One event as Pusher gets it. */
export interface BatchEvent {
  readonly channel: string;
  readonly name: string;
  /** Text: what Pusher counts, and what clients parse. */
  readonly data: string;
}

/** A request under way, and how many of its events still wait for its answer. */
export interface SharedExchange {
  readonly exchange: HttpExchange<Ending>;
  waiting: number;
}

/** One event on its way to Pusher: a delivery of its own, although it shares its request with others. */
export class BatchEntry implements RunningAttempt {
  readonly outcome: Promise<Outcome>;
  readonly text: string;
  readonly channel: string;
  private resolve: (outcome: Outcome) => void = () => {};
  private shared: SharedExchange | undefined;
  /** Whether a request with it was ever begun. */
  private sent = false;
  private ended = false;

  constructor(
    event: BatchEvent,
    /** Epoch milliseconds. */
    readonly since: number,
    private readonly onWithdrawn: () => void,
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

  share(shared: SharedExchange): void {
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
    const { shared } = this;
    if (shared !== undefined && (shared.waiting === 1 || shared.exchange.isAnswered)) {
      // Nobody else waits, or there is an answer for all: the exchange says how it ended.
      shared.exchange.abort(reason);
      return;
    }
    if (shared !== undefined) shared.waiting--;
    if (!this.sent) this.onWithdrawn();
    this.end(this.abortedBy(reason));
  }

  look(now: number): void {
    this.shared?.exchange.look(now);
  }

  /** What waited in line all the time was never tried. */
  private abortedBy(reason: AbortReason): Outcome {
    if (reason === 'shutdown') return { kind: 'interrupted', code: 'SHUTDOWN' };
    return this.sent ? { kind: 'failed', code: 'TIMEOUT' } : { kind: 'interrupted', code: 'NOT_SENT' };
  }
}
