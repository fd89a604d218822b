import { Slices } from './slices';

export interface ApartOptions<T> {
  readonly items: Iterable<T> | AsyncIterable<T>;
  /** Items under way at once. */
  readonly atOnce: number;
  readonly work: (item: T) => Promise<unknown> | unknown;
  /** Takes what `work` threw for one item; must not throw. */
  readonly onFault: (error: unknown, item: T) => void;
}

/**
 * Works on many items that have nothing to do with each other (instances, queues, apps): a fault at one is handed to
 * `onFault`, and the others go on. Rejects only where the items themselves cannot be read. However many there are, and
 * although none of them waits for anything, the event loop is not held up.
 */
export async function forEachApart<T>({ items, atOnce, work, onFault }: ApartOptions<T>): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const slices = new Slices();
  const start = async (item: T): Promise<void> => {
    try {
      await work(item);
    } catch (error) {
      onFault(error, item);
    }
  };
  try {
    for await (const item of items) {
      const run = start(item);
      underWay.add(run);
      void run.finally(() => underWay.delete(run));
      if (underWay.size >= atOnce) await Promise.race(underWay);
      await slices.pause();
    }
  } finally {
    await Promise.all(underWay);
  }
}
