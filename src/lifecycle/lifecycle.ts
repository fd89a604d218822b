import type { Step } from './steps';

interface Part {
  readonly name: string;
  readonly release: () => unknown;
}

/** What is alive, in the order in which it was made: it is released in reverse, as what is made later uses what is there. */
export class Lifecycle {
  private readonly parts: Part[] = [];

  /** Takes charge of `value`, and hands it back. `release` is called once; it may fail, and need not end. */
  add<T>(name: string, value: T, release: (value: T) => unknown): T {
    this.parts.push({ name, release: () => release(value) });
    return value;
  }

  /**
   * The steps that release everything, the last part first. Together they have `share`: each half of what is left of it,
   * as the parts that were made last are those that have something to send to others. Called again, they are none.
   */
  releaseSteps(share: number): Step[] {
    let left = share;
    const parts = this.parts.splice(0).reverse();
    return parts.map(({ name, release }, index) => {
      const own = index === parts.length - 1 ? left : left / 2;
      left -= own;
      return { name, share: own, run: release };
    });
  }
}
