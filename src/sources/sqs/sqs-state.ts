/** `connecting`: SQS has not answered yet, or does not answer any more; the source goes on asking. */
export type SqsPhase = 'idle' | 'connecting' | 'consuming' | 'stopping' | 'closed';

/** What may follow each. Stopping is never undone, whatever answers still come in. */
const NEXT: Readonly<Record<SqsPhase, readonly SqsPhase[]>> = {
  idle: ['connecting', 'stopping'],
  connecting: ['consuming', 'stopping'],
  consuming: ['connecting', 'stopping'],
  stopping: ['closed'],
  closed: [],
};

/** The state of the SQS source: changed in one place, and each change is reported. */
export class SqsState {
  private current: SqsPhase = 'idle';
  private reason = 'not started';

  /** @param onChange must not throw */
  constructor(private readonly onChange: (from: SqsPhase, to: SqsPhase, reason: string) => void) {}

  get phase(): SqsPhase {
    return this.current;
  }

  /** For people. */
  get detail(): string {
    return this.reason;
  }

  is(...phases: readonly SqsPhase[]): boolean {
    return phases.includes(this.current);
  }

  /** False where `to` cannot follow: nothing is changed then. */
  to(to: SqsPhase, reason: string): boolean {
    if (!NEXT[this.current].includes(to)) return false;
    const from = this.current;
    this.current = to;
    this.reason = reason;
    this.onChange(from, to, reason);
    return true;
  }

  /** Another reason for the same phase. */
  explain(phase: SqsPhase, reason: string): void {
    if (this.current === phase) this.reason = reason;
  }
}
