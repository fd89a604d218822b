/** Goes on with one thing of each line after the other, in the order in which they were added, however long each takes to get ready. */
export class InTurn {
  /** Of lines in which something is not ready yet. */
  private readonly tails = new Map<string, Promise<void>>();

  /** Exactly one of `done` and `failed` is called: at once where nothing is before it in its line, and it is ready. */
  add<T>(line: string, work: T | Promise<T>, done: (value: T) => void, failed: () => void): void {
    const before = this.tails.get(line);
    if (before === undefined && !(work instanceof Promise)) return done(work);
    const ready = Promise.resolve(work).then(
      (value) => () => done(value),
      () => failed,
    );
    const tail = (before ?? Promise.resolve()).then(async () => {
      (await ready)();
      if (this.tails.get(line) === tail) this.tails.delete(line);
    });
    this.tails.set(line, tail);
  }
}
