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

/**
 * | state     | meaning                                          | ends with                             |
 * |-----------|--------------------------------------------------|---------------------------------------|
 * | waiting   | no request with it was ever begun                | a request: sharing; an abort: ended   |
 * | sharing   | a request with it is under way                   | its result: ended, or undecided       |
 * | undecided | a request with it has ended, and another follows | that: sharing; an abort: ended        |
 * | ended     | its outcome is known                             | nothing                               |
 */
type EntryState =
  | { readonly kind: 'waiting' | 'undecided' | 'ended' }
  | { readonly kind: 'sharing'; readonly shared: SharedRequest };

/** One event on its way to Pusher: a delivery of its own, although it shares its request with others. */
export class BatchEntry implements RunningAttempt {
  readonly outcome: Promise<Outcome>;
  readonly text: string;
  readonly channel: string;
  private resolve: (outcome: Outcome) => void = () => {};
  private state: EntryState = { kind: 'waiting' };
  private firstLook: number | undefined;

  constructor(
    event: BatchEvent,
    /** By the clock that nobody sets. */
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
    return this.state.kind !== 'ended';
  }

  share(shared: SharedRequest): void {
    if (this.isOpen) this.state = { kind: 'sharing', shared };
  }

  /** Its request has ended, and did not decide about it. */
  unshare(): void {
    if (this.state.kind === 'sharing') this.state = { kind: 'undecided' };
  }

  end(outcome: Outcome): void {
    if (!this.isOpen) return;
    this.state = { kind: 'ended' };
    this.resolve(outcome);
  }

  abort(reason: AbortReason): void {
    const { state } = this;
    if (state.kind === 'ended') return;
    if (state.kind === 'sharing' && !state.shared.leave(reason)) return;
    if (state.kind === 'waiting') this.owner.withdraw(this);
    this.end(abortedBy(reason, state.kind !== 'waiting'));
  }

  /** Waiting in line and the request have the same time each: one does not shorten the other. */
  look(now: number): void {
    if (this.state.kind === 'sharing') return this.state.shared.look(now);
    if (this.state.kind !== 'waiting') return;
    this.firstLook ??= now;
    if (now - this.firstLook >= this.owner.timeoutMs) this.abort('timeout');
  }
}

/** What waited in line all the time was never tried. */
function abortedBy(reason: AbortReason, wasSent: boolean): Outcome {
  if (reason === 'shutdown') return { kind: 'interrupted', code: 'SHUTDOWN' };
  return wasSent
    ? { kind: 'failed', code: 'TIMEOUT', overloaded: true }
    : { kind: 'interrupted', code: 'NOT_SENT' };
}
