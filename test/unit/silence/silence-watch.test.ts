import { type HeardOf, type Silence, STEP_MS } from '../../../src/silence/silence-store';
import { SilenceWatch, type SilenceWatchParts } from '../../../src/silence/silence-watch';
import { pack, unpack } from '../../../src/silence/stored-instance';
import type { WatchedInstance } from '../../../src/silence/watched-instance';
import { BEGIN } from '../../support/values/synthetic-weeks';

/** Redis as the watch sees it, with a clock of its own. */
class World {
  now = BEGIN;
  holder: string | undefined;
  readonly steps = new Map<number, Map<string, HeardOf>>();
  readonly records = new Map<string, string>();
  readonly silent = new Map<string, Silence>();
  readonly told: string[] = [];
  failing = false;

  watch(): SilenceWatch {
    return new SilenceWatch({
      store: this.store,
      observer: this.observer,
      onError: (error) => this.told.push(`error ${String(error)}`),
    });
  }

  /** Every step in between is listened to; `messages` of each instance in each. */
  hear(steps: number, messages: Readonly<Record<string, Partial<HeardOf>>>): void {
    for (let step = 0; step < steps; step++) {
      const all = Object.entries(messages).map(
        ([instance, heard]) =>
          [instance, { instance, messages: 0, others: 0, said: undefined, ...heard }] as const,
      );
      this.steps.set(Math.floor(this.now / STEP_MS), new Map(all));
      this.now += STEP_MS;
    }
  }

  private readonly store: SilenceWatchParts['store'] = {
    lease: async (worker) => {
      if (this.failing) throw new Error('away');
      this.holder ??= worker;
      return this.holder === worker ? this.now + STEP_MS / 2 : undefined;
    },
    heardIn: async (step) => this.steps.get(step),
    instances: (): AsyncGenerator<readonly [string, WatchedInstance]> => this.stored(),
    learn: async (known) => {
      for (const [instance, watched] of known) {
        if (watched === undefined) {
          this.records.delete(instance);
          this.silent.delete(instance);
        } else this.records.set(instance, pack(watched));
      }
    },
    tell: async (changes) => {
      for (const [instance, silence] of changes) {
        if (silence === undefined) this.silent.delete(instance);
        else this.silent.set(instance, silence);
      }
    },
    silentOnes: async () => this.silent,
  };

  private readonly observer: SilenceWatchParts['observer'] = {
    fellSilent: (silent) => this.told.push(...[...silent].map(([name, { why }]) => `${name} ${why}`)),
    speakAgain: (names) => this.told.push(...names.map((name) => `${name} speaks`)),
    mostAreSilent: (count, of) => this.told.push(`most ${count}/${of}`),
  };

  private async *stored(): AsyncGenerator<readonly [string, WatchedInstance]> {
    for (const [instance, record] of this.records) {
      const watched = unpack(record);
      if (watched !== undefined) yield [instance, watched];
    }
  }
}

const HOUR = 30;
const WEEK = 168 * HOUR;

describe('the watch', () => {
  test('tells once that an instance fell silent, and once that it speaks again', async () => {
    const world = new World();
    const watch = world.watch();
    world.hear(1, { shop: { messages: 1 } });
    await watch.look();
    for (let day = 0; day < 8; day++) {
      world.hear(24 * HOUR, { shop: { messages: 10 } });
      await watch.look();
    }
    world.hear(HOUR, {});
    await watch.look();
    await watch.look();
    expect(world.told).toEqual(['shop fell-silent']);
    world.hear(1, { shop: { messages: 1 } });
    await watch.look();
    expect(world.told).toEqual(['shop fell-silent', 'shop speaks']);
    expect(world.silent.size).toBe(0);
  });

  test('an instance that is new is known as soon as its first step is over, and not at the end of the hour', async () => {
    const world = new World();
    const watch = world.watch();
    await watch.look();
    world.hear(1, { shop: { messages: 1 } });
    await watch.look();
    expect([...world.records.keys()]).toEqual(['shop']);
  });

  test('a worker that takes over follows the last hour again, and tells nothing twice', async () => {
    const world = new World();
    const first = world.watch();
    await first.look();
    for (let day = 0; day < 8; day++) {
      world.hear(24 * HOUR, { shop: { messages: 10 } });
      await first.look();
    }
    world.hear(HOUR / 2, {});
    await first.look();
    expect(world.told).toEqual(['shop fell-silent']);
    world.holder = undefined;
    const second = world.watch();
    await second.look();
    world.hear(2, {});
    await second.look();
    await first.look();
    expect(world.told).toEqual(['shop fell-silent']);
    world.hear(1, { shop: { messages: 1 } });
    await second.look();
    expect(world.told.at(-1)).toBe('shop speaks');
  });

  test('time in which no worker listened is no silence', async () => {
    const world = new World();
    const watch = world.watch();
    await watch.look();
    world.hear(WEEK + HOUR, { shop: { messages: 10 } });
    await watch.look();
    world.now += 3 * HOUR * STEP_MS;
    await watch.look();
    expect(world.told).toEqual([]);
  });

  test('an instance that is removed is forgotten, and a closed connection is told', async () => {
    const world = new World();
    const watch = world.watch();
    await watch.look();
    world.hear(1, { shop: { said: 'closed' }, other: { said: 'closed' } });
    world.hear(2, {});
    await watch.look();
    expect(world.told).toEqual(['shop closed', 'other closed']);
    world.hear(1, { shop: { said: 'gone' }, other: { said: 'open' } });
    await watch.look();
    expect([...world.silent.keys()]).toEqual([]);
    expect([...world.records.keys()]).not.toContain('shop');
  });

  test('most of them silent at once is told as one thing', async () => {
    const world = new World();
    const watch = world.watch();
    await watch.look();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const all = Object.fromEntries(names.map((name) => [name, { messages: 10 }]));
    world.hear(WEEK + HOUR, all);
    await watch.look();
    world.hear(HOUR, {});
    await watch.look();
    expect(world.told.filter((line) => line.startsWith('most'))).toEqual(['most 6/6']);
  });

  test('Redis away: it begins anew from what is stored', async () => {
    const world = new World();
    const watch = world.watch();
    await watch.look();
    world.failing = true;
    await watch.look();
    world.failing = false;
    world.hear(2, { shop: { said: 'closed' } });
    world.hear(2, {});
    await watch.look();
    expect(world.told).toEqual(['error Error: away', 'shop closed']);
  });
});
