import { constants } from 'node:os';

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The end of a run, whatever brought it about: a signal, a failure, or being done. */
export class Ending {
  /** The signal that ended the run early. */
  interruptedBy: NodeJS.Signals | undefined;
  private readonly controller = new AbortController();
  private readonly steps: { readonly what: string; readonly work: () => Promise<unknown> }[] = [];

  constructor() {
    for (const name of SIGNALS) process.on(name, () => this.interrupt(name));
    // Whoever read our output has gone (`| head`, a closed terminal).
    process.stdout.on('error', () => this.interrupt('SIGHUP'));
  }

  /** Ends every wait of the run. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** As shells report it; undefined where there was no signal. */
  get exitCode(): number | undefined {
    return this.interruptedBy && 128 + constants.signals[this.interruptedBy];
  }

  /** What is to be done at the end; the last one added is done first. */
  add(what: string, work: () => Promise<unknown>): void {
    this.steps.push({ what, work });
  }

  async run(): Promise<void> {
    this.controller.abort();
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      const { what, work } = step;
      await work().catch((error: unknown) => console.error(`Not done: ${what}: ${error}`));
    }
  }

  private interrupt(signal: NodeJS.Signals): void {
    this.interruptedBy ??= signal;
    this.controller.abort();
  }
}
