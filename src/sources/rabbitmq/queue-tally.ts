/** Which queues are wanted, where several exchanges may want the same one. */
export class QueueTally {
  private readonly counts = new Map<string, number>();
  /** Instances by the queues that are theirs alone. */
  private readonly instances = new Map<string, string>();

  constructor(private readonly onChange: (queue: string, isWanted: boolean) => void) {}

  get queues(): Iterable<string> {
    return this.counts.keys();
  }

  /** The instance whose queue this is; undefined for one that the operator configured. */
  instanceOf(queue: string): string | undefined {
    return this.instances.get(queue);
  }

  /** One of those that want queues, on behalf of `instance` or of the operator, wanted `before` and wants `now`. */
  replace(before: readonly string[], now: readonly string[], instance?: string): void {
    for (const queue of now) {
      const count = this.counts.get(queue) ?? 0;
      this.counts.set(queue, count + 1);
      if (instance === undefined) this.instances.delete(queue);
      else if (count === 0) this.instances.set(queue, instance);
      if (count === 0) this.onChange(queue, true);
    }
    for (const queue of before) {
      const count = (this.counts.get(queue) ?? 0) - 1;
      if (count > 0) this.counts.set(queue, count);
      else if (this.counts.delete(queue)) {
        this.instances.delete(queue);
        this.onChange(queue, false);
      }
    }
  }
}
