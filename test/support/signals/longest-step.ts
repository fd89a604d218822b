const TICK_MS = 5;

/**
 * Measures the longest that the event loop was kept from its next turn, as processor time of this process: the wall
 * clock would also count what other processes of the machine take.
 */
export class LongestStep {
  private longestMs = 0;
  private last = process.cpuUsage();
  private readonly timer = setInterval(() => this.measure(), TICK_MS);

  /** Milliseconds of processor time; ends the measurement. */
  end(): number {
    this.measure();
    clearInterval(this.timer);
    return this.longestMs;
  }

  private measure(): void {
    const { user, system } = process.cpuUsage(this.last);
    this.last = process.cpuUsage();
    this.longestMs = Math.max(this.longestMs, (user + system) / 1000);
  }
}
