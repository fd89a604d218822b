/**
 * Runs what goes on with one thing after the other. Where it is to run while it runs, as what it went on with was done with at
 * once, that is left to the run that is under way, which must look for more before it ends: within one another, a few hundred runs
 * would exceed the stack.
 */
export class Unnested {
  private isRunning = false;

  run(work: () => void): void {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      work();
    } finally {
      this.isRunning = false;
    }
  }
}
