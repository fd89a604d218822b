import { forEachApart } from '../../../src/time/for-each-apart';
import { deferred, turns } from '../../support/signals/signals';

describe('forEachApart', () => {
  it('goes on after a fault at one item, thrown or rejected, and tells of each (finding 2.1)', async () => {
    const done: number[] = [];
    const faults: [unknown, number][] = [];
    await forEachApart({
      items: [1, 2, 3, 4],
      atOnce: 2,
      work: (item) => {
        if (item === 1) throw new Error('thrown');
        if (item === 3) return Promise.reject(new Error('rejected'));
        return done.push(item);
      },
      onFault: (error, item) => faults.push([(error as Error).message, item]),
    });
    expect(done).toEqual([2, 4]);
    expect(faults).toEqual([
      ['thrown', 1],
      ['rejected', 3],
    ]);
  });

  it('works on no more than so many at once, and one that hangs keeps no other waiting', async () => {
    const hanging = deferred();
    let underWay = 0;
    let peak = 0;
    const done: number[] = [];
    const all = forEachApart({
      items: Array.from({ length: 20 }, (_, index) => index),
      atOnce: 3,
      work: async (item) => {
        underWay++;
        peak = Math.max(peak, underWay);
        await (item === 0 ? hanging.promise : turns());
        underWay--;
        done.push(item);
        if (done.length === 19) hanging.resolve();
      },
      onFault: () => {},
    });
    await all;
    expect(peak).toBe(3);
    expect(done).toHaveLength(20);
    expect(done.at(-1)).toBe(0);
  });

  it('awaits what is under way where the items end with a fault', async () => {
    const done: number[] = [];
    async function* items() {
      yield 1;
      throw new Error('no more');
    }
    const work = async (item: number): Promise<void> => {
      await Promise.resolve();
      done.push(item);
    };
    await expect(forEachApart({ items: items(), atOnce: 5, work, onFault: () => {} })).rejects.toThrow(
      'no more',
    );
    expect(done).toEqual([1]);
  });

  it('items that wait for nothing leave turns of the event loop to others (finding 9.2)', async () => {
    let turnsOfOthers = 0;
    const others = setInterval(() => turnsOfOthers++, 1);
    await forEachApart({
      items: Array.from({ length: 20 }, (_, item) => item),
      atOnce: 50,
      work: () => {
        // A slice or more, however fast the machine is.
        for (const until = performance.now() + 11; performance.now() < until; );
      },
      onFault: () => {},
    });
    clearInterval(others);
    expect(turnsOfOthers).toBeGreaterThan(10);
  });
});
