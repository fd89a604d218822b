import { monotonicMs } from '../time/monotonic';

/**
 * | state  | meaning                                        | ends with                                                          |
 * |--------|------------------------------------------------|--------------------------------------------------------------------|
 * | idle   | no permit is wanted, and nothing was asked     | permits are wanted: due; a question: asking                        |
 * | due    | permits are wanted, and are to be asked for    | its time, at which the owner asks, or not: asking, idle; a question before it: asking |
 * | asking | a question is under way                        | its end: due where permits are still wanted, else idle             |
 * | closed | nothing is asked any more                      |                                                                    |
 *
 * Whatever its state, it may be closed.
 */
type Turn =
  | { readonly kind: 'idle' | 'closed' }
  | { readonly kind: 'due'; readonly since: number; readonly timer: NodeJS.Timeout }
  /** `since` is undefined where permits are only given back. */
  | { readonly kind: 'asking'; readonly since: number | undefined };

const IDLE: Turn = { kind: 'idle' };

/** When permits are asked for: no question begins while another one is under way. */
export class LeaseTurns {
  private turn: Turn = IDLE;
  private notBefore = 0;

  constructor(private readonly onTime: () => void) {}

  get isClosed(): boolean {
    return this.turn.kind === 'closed';
  }

  /** Permits are wanted: those that are wanted in the same turn of the event loop are asked for together. */
  want(): void {
    const { turn } = this;
    if (turn.kind === 'idle') this.fallDue(monotonicMs());
    else if (turn.kind === 'asking' && turn.since === undefined)
      this.enter({ kind: 'asking', since: monotonicMs() });
  }

  /** Begins a question where none is under way; for how long permits have been wanted, undefined where it may not begin. */
  begin(): number | undefined {
    const { turn } = this;
    if (turn.kind === 'asking' || turn.kind === 'closed') return undefined;
    const since = turn.kind === 'due' ? turn.since : undefined;
    this.enter({ kind: 'asking', since });
    return since === undefined ? 0 : monotonicMs() - since;
  }

  /** The question has ended: what was wanted came. */
  served(): void {
    if (this.turn.kind === 'asking') this.enter(IDLE);
  }

  /** The question has ended, and what is wanted still is. @param pauseMs before the next one; left out, it is as before */
  unserved(pauseMs?: number): void {
    if (pauseMs !== undefined) this.notBefore = monotonicMs() + pauseMs;
    if (this.turn.kind !== 'asking') return;
    const { since } = this.turn;
    if (since === undefined) this.enter(IDLE);
    else this.fallDue(since);
  }

  close(): void {
    this.enter({ kind: 'closed' });
  }

  private fallDue(since: number): void {
    const timer = setTimeout(
      () => {
        this.onTime();
        // Nothing is wanted any more.
        if (this.turn.kind === 'due' && this.turn.timer === timer) this.enter(IDLE);
      },
      Math.max(0, this.notBefore - monotonicMs()),
    );
    this.enter({ kind: 'due', since, timer });
  }

  private enter(next: Turn): void {
    if (this.turn.kind === 'due') clearTimeout(this.turn.timer);
    this.turn = next;
  }
}
