import { errorText } from '../errors';
import type { Logger } from '../observability/logging';
import { FINDING } from './exit';

/** Resolves to whether everything was settled. */
export interface Stoppable {
  stop(): Promise<boolean>;
}

/** How parts of a process end: once, and in their order, however often it is asked for. */
export class PartsEnding {
  readonly done: Promise<void>;
  private resolve: () => void = () => {};
  private state: 'running' | 'ending' | 'failing' = 'running';

  constructor(
    private readonly parts: readonly Stoppable[],
    private readonly log: Logger,
  ) {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  begin(): void {
    if (this.state !== 'running') return;
    this.state = 'ending';
    stopAll(this.parts).then(
      (settled) => {
        // A connection that cannot be closed must not keep a drained process alive.
        process.exitCode = settled && this.state === 'ending' ? 0 : FINDING;
        this.resolve();
        setImmediate(() => process.exit());
      },
      (error: unknown) => {
        this.log.error('drain failed', { error: errorText(error) });
        process.exit(FINDING);
      },
    );
  }

  /** Because a part cannot go on: whatever can still be settled, the process has failed. */
  fail(): void {
    this.begin();
    this.state = 'failing';
  }
}

async function stopAll(parts: readonly Stoppable[]): Promise<boolean> {
  let settled = true;
  for (const part of parts) settled = (await part.stop()) && settled;
  return settled;
}
