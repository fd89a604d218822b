/**
 * | state  | ends with                                                              |
 * |--------|------------------------------------------------------------------------|
 * | idle   | permits are wanted: due; a question: asking                            |
 * | due    | its time, which lets the owner ask: idle; a question before it: asking |
 * | asking | the answer, or that there is none: idle                                |
 * | closed | nothing                                                                |
 *
 * Whatever its state, it may be closed.
 */
type Turn =
  | { readonly kind: 'idle' | 'asking' | 'closed' }
  | { readonly kind: 'due'; readonly timer: NodeJS.Timeout };

const IDLE: Turn = { kind: 'idle' };

/** When permits are asked for: no question begins while another one is under way. */
export class LeaseTurns {
  private turn: Turn = IDLE;

  constructor(private readonly onTime: () => void) {}

  get isClosed(): boolean {
    return this.turn.kind === 'closed';
  }

  /** Its time comes after so many milliseconds, where nothing is due or asked already. */
  due(afterMs: number): void {
    if (this.turn.kind !== 'idle') return;
    const timer = setTimeout(() => {
      this.enter(IDLE);
      this.onTime();
    }, afterMs);
    this.enter({ kind: 'due', timer });
  }

  /** Whether a question may begin, which then is under way. */
  begin(): boolean {
    if (this.turn.kind === 'asking' || this.turn.kind === 'closed') return false;
    this.enter({ kind: 'asking' });
    return true;
  }

  /** The question has ended. */
  end(): void {
    if (this.turn.kind === 'asking') this.enter(IDLE);
  }

  close(): void {
    this.enter({ kind: 'closed' });
  }

  private enter(next: Turn): void {
    if (this.turn.kind === 'due') clearTimeout(this.turn.timer);
    this.turn = next;
  }
}
