import { Events } from '../events';
import { run } from './settings';

/** Enough for the scripts to be loaded and for V8 to have compiled. */
const WARM_UP = 2000;
/** No more are under way at once than a source hands over: its prefetch. */
export const UNDER_WAY = 250;

/** Parks all of `events`, at most UNDER_WAY at a time; resolves when the last one is stored. */
export type Park<T> = (events: readonly T[]) => Promise<unknown>;

/** Parks as many events as the parent asks for, and tells how many seconds that took. */
export function runParking<T>(start: () => Promise<{ prepare(body: Buffer): T; park: Park<T> }>): void {
  run(async () => {
    const { prepare, park } = await start();
    const events = new Events('small');

    async function measure(count: number): Promise<number> {
      const prepared = Array.from({ length: count }, () => prepare(events.next()));
      const startedAt = performance.now();
      await park(prepared);
      return (performance.now() - startedAt) / 1000;
    }

    process.on('message', (count: number) => {
      void measure(count).then((seconds) => process.send?.({ seconds }));
    });
    await measure(WARM_UP);
    process.send?.({ seconds: 0 });
    return { close: async () => {} };
  });
}
