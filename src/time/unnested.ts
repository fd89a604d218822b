/**
 * Runs what goes on with one thing after the other. Where it is to run while it runs, as what it went on with was done with at
 * once, it runs again as soon as it has ended: within one another, a few hundred runs would exceed the stack.
 */
export class Unnested {
  private isRunning = false;
  private isWanted = false;

  run(work: () => void): void {
    this.isWanted = true;
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      while (this.isWanted) {
        this.isWanted = false;
        work();
      }
    } finally {
      this.isRunning = false;
    }
  }
}
