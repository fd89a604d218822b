/** Counts work that is under way; `idle` resolves when there is none. */
export class OpenWork {
  private open = 0;
  private listeners: (() => void)[] = [];

  get count(): number {
    return this.open;
  }

  begin(): void {
    this.open++;
  }

  end(): void {
    this.open--;
    if (this.open > 0) return;
    for (const listener of this.listeners.splice(0)) listener();
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.open === 0) return Promise.resolve();
    return new Promise((resolve) => this.listeners.push(resolve));
  }
}
