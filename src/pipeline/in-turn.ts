/** Goes on with one thing after the other, in the order in which they were added, however long each takes to get ready. */
export class InTurn {
  private tail: Promise<void> | undefined;

  /** Exactly one of `done` and `failed` is called: at once where nothing is before it, and it is ready. */
  add<T>(work: T | Promise<T>, done: (value: T) => void, failed: () => void): void {
    if (this.tail === undefined && !(work instanceof Promise)) return done(work);
    const ready = Promise.resolve(work).then(
      (value) => () => done(value),
      () => failed,
    );
    const tail = (this.tail ?? Promise.resolve()).then(async () => {
      (await ready)();
      if (this.tail === tail) this.tail = undefined;
    });
    this.tail = tail;
  }
}
