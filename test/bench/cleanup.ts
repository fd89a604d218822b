type Step = () => Promise<unknown> | unknown;

/** What is left of the benchmark, last in, first out: undone one by one as it goes, or all at once at the end. */
export class Cleanup {
  private steps: Step[] = [];

  /** Remembers `step`; the result runs it now, once, and forgets it. */
  add(step: Step): () => Promise<void> {
    this.steps.push(step);
    return async () => {
      if (!this.steps.includes(step)) return;
      this.steps = this.steps.filter((other) => other !== step);
      await step();
    };
  }

  /** Runs what is left; a step that fails does not keep the others from running. */
  async run(): Promise<void> {
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        process.stderr.write(`clearing away: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }
}
