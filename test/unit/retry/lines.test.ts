import type { DestinationId } from '../../../src/pipeline/delivery';
import { type LineRoom, Lines, type LookAtRoom, type StoredLine } from '../../../src/retry/lines';
import { turns } from '../../support/signals/signals';

const line = (key: string): StoredLine => ({ key, id: `webhook:${key}` as DestinationId });
const room = (count: number, ...groups: readonly string[]): LineRoom => ({
  kind: 'room',
  count,
  shares: groups.map((key) => ({ key, part: 0.25 })),
  ready: count,
  common: [],
});

/** Rooms by key; what is not named has none. */
function setup(rooms: Readonly<Record<string, LineRoom>>, places = 100) {
  const lines = new Lines({
    roomOf: async (id) => () => rooms[id.slice('webhook:'.length)] ?? { kind: 'none' },
  });
  lines.learn(Object.keys(rooms).map(line));
  const wishes = async (most: number, free = places): Promise<Record<string, number>> =>
    Object.fromEntries((await lines.choose(most, free)).wishes);
  return { lines, wishes };
}

describe('the choice among lines', () => {
  test('takes turns among instances, and among the destinations of one', async () => {
    const { wishes } = setup({
      a1: room(100, 'a'),
      a2: room(100, 'a'),
      a3: room(100, 'a'),
      b1: room(100, 'b'),
    });
    expect(await wishes(12)).toEqual({ a1: 2, a2: 2, a3: 2, b1: 6 });
  });

  test('asks for no more than a destination has room for, and gives the rest to others', async () => {
    const { wishes } = setup({ a: room(1, 'a'), b: room(100, 'b') });
    expect(await wishes(10)).toEqual({ a: 1, b: 9 });
  });

  test('one alone has all places', async () => {
    const { wishes } = setup({ a: room(1000, 'a') });
    expect(await wishes(1000)).toEqual({ a: 100 });
  });

  test('among several nobody takes the part that is kept for those who come', async () => {
    const { lines, wishes } = setup({ a: room(1000, 'a'), b: room(1, 'b') });
    expect(await wishes(1000)).toEqual({ a: 74, b: 1 });
    for (let count = 0; count < 74; count++) lines.begin('a', 0);
    for (let count = 0; count < 74; count++) lines.begun('a');
    lines.begin('b', 0);
    expect(await wishes(1000, 25)).toEqual({});
  });

  test('where not all places are given out yet, the part that is kept is one of those that are', async () => {
    const { wishes } = setup({ a: room(1000, 'a'), b: room(1, 'b') });
    expect(await wishes(1000, 16)).toEqual({ a: 11, b: 1 });
  });

  test('whoever has one receiving host leaves places to others, however many instances they are', async () => {
    const instances = Array.from({ length: 40 }, (_, index) => `i${index}`);
    const rooms = Object.fromEntries(instances.map((name) => [name, room(10, name, 'host')]));
    const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
    expect(sum(Object.values(await setup(rooms).wishes(1000)))).toBe(100);
    const { well, ...others } = await setup({ ...rooms, well: room(1, 'well', 'elsewhere') }).wishes(1000);
    expect([well, sum(Object.values(others))]).toEqual([1, 74]);
  });

  test('counts what was taken and has not begun', async () => {
    const { lines, wishes } = setup({ a: room(5, 'a') });
    await wishes(3);
    for (let count = 0; count < 3; count++) lines.begin('a', 0);
    expect(await wishes(10)).toEqual({ a: 2 });
    lines.begun('a');
    expect(await wishes(10)).toEqual({ a: 3 });
  });

  /** With as much in common as named: all together, and those of one host. */
  const sharing = (count: number, ready: number, all: number, host = all): LineRoom => ({
    ...{ kind: 'room', count, ready, shares: [{ key: 'host', part: 0.25 }] },
    common: [
      { key: '', left: all },
      { key: 'host', left: host },
    ],
  });
  const total = (wishes: Readonly<Record<string, number>>): number =>
    Object.values(wishes).reduce((sum, count) => sum + count, 0);

  test('of many lines no more are taken than may begin together, and what was taken before is one of those', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `d${index}`);
    const rooms = Object.fromEntries(names.map((name) => [name, sharing(3, 3, 4)]));
    const { lines, wishes } = setup(rooms);
    const first = await wishes(50);
    expect(total(first)).toBe(4);
    for (const key of Object.keys(first)) lines.begin(key, 0);
    expect(await wishes(50)).toEqual({});
    // Of one of them nothing is left.
    const [empty = ''] = Object.keys(first);
    lines.left(empty, 0);
    expect(await wishes(50)).toEqual({});
    lines.begun(empty);
    expect(total(await wishes(50))).toBe(1);
  });

  test('what begins while lines are still looked at is counted once', async () => {
    let left = 1;
    let looked = (): void => {};
    const lines = new Lines({
      roomOf: async (id) => {
        if (id.endsWith('late')) await new Promise<void>((resolve) => (looked = resolve));
        return () => ({ ...sharing(5, 5, left), shares: [] });
      },
    });
    lines.learn(['early', 'late'].map(line));
    lines.begin('gone', 0);
    const choice = lines.choose(50, 100);
    await turns();
    lines.begun('gone');
    left = 0;
    looked();
    expect((await choice).wishes.size).toBe(0);
  });

  test('where a group has little left, its lines are taken from no oftener, and those of others are', async () => {
    const rooms = { a: sharing(5, 5, 100, 1), b: sharing(5, 5, 100, 1), c: { ...room(5, 'c'), ready: 5 } };
    const { wishes } = setup(rooms);
    expect(await wishes(50)).toEqual({ a: 1, c: 5 });
  });

  test('what waits for the turn of its own destination keeps no place from others', async () => {
    const { lines, wishes } = setup({ quick: sharing(10, 0, 1), other: sharing(1, 1, 1) });
    for (let count = 0; count < 10; count++) lines.begin('quick', 0);
    expect(await wishes(50)).toEqual({ other: 1 });
  });

  test('asks for room for events as large as the largest that was taken lately', async () => {
    const asked: number[] = [];
    const lines = new Lines({
      roomOf: async (_id, bytes) => {
        asked.push(Math.round(bytes));
        return () => room(1, 'a');
      },
    });
    lines.learn([line('a')]);
    for (const bytes of [100_000, 1000, 1000, 200_000, 0]) {
      await lines.choose(10, 10);
      lines.begin('a', bytes);
      lines.begun('a');
    }
    expect(asked).toEqual([0, 100_000, 90_000, 81_000, 200_000]);
    for (let times = 0; times < 30; times++) lines.begin('a', 1000);
    await lines.choose(10, 10);
    expect(asked.at(-1)).toBe(0);
  });

  test('leaves a line alone for a while that it can do nothing with, and forgets it', async () => {
    const { lines } = setup({ dead: { kind: 'none' }, busy: { kind: 'soon' } });
    const { wishes, putOff } = await lines.choose(10, 10);
    expect([wishes.size, [...putOff.keys()]]).toEqual([0, ['dead']]);
    expect(putOff.get('dead')).toBeGreaterThanOrEqual(250);
    expect(putOff.get('dead')).toBeLessThanOrEqual(1000);
    expect(lines.learn([line('dead'), line('busy')])).toBe(true);
    expect(lines.learn([line('dead'), line('busy')])).toBe(false);
  });

  test('leaves no line alone of which something is about to begin: there is room once that has ended', async () => {
    const { lines } = setup({ a: { kind: 'none' } });
    lines.begin('a', 100_000);
    expect((await lines.choose(10, 10)).putOff.size).toBe(0);
    lines.begun('a');
    expect((await lines.choose(10, 10)).putOff.size).toBe(1);
  });

  test('leaves one alone for as long as there is known to be nothing to do, in steps of some seconds', async () => {
    const { lines } = setup({
      soon: { kind: 'none', forMs: 1 },
      later: { kind: 'none', forMs: 4000 },
      far: { kind: 'none', forMs: 3_600_000 },
    });
    const { putOff } = await lines.choose(10, 10);
    expect(putOff.get('soon')).toBeGreaterThanOrEqual(250);
    expect([putOff.get('later'), putOff.get('far')]).toEqual([4000, 10_000]);
  });

  test('serves those next that got nothing now', async () => {
    const { wishes } = setup({ a: room(10, 'a'), b: room(10, 'b'), c: room(10, 'c') });
    expect([await wishes(2), await wishes(2)]).toEqual([
      { a: 1, b: 1 },
      { c: 1, a: 1 },
    ]);
  });

  test('forgets lines that are empty, and in a crowd those that were served', async () => {
    const { lines } = setup({ a: room(10, 'a') });
    lines.left('a', 5);
    expect(lines.isEmpty).toBe(false);
    lines.left('a', 0);
    expect(lines.isEmpty).toBe(true);
    lines.learn(Array.from({ length: 300 }, (_, index) => line(String(index))));
    expect(lines.learn([line('201')])).toBe(false);
    lines.left('1', 5);
    expect(lines.learn([line('201')])).toBe(true);
  });

  /** What Redis does with lines: it names the first hundred whose time has come, and those that were served stand behind all others. */
  async function firstServed(rooms: Readonly<Record<string, LineRoom>>, wanted: string): Promise<number> {
    const roomOf =
      async (id: DestinationId): Promise<LookAtRoom> =>
      () =>
        rooms[id.slice('webhook:'.length)] ?? { kind: 'none' };
    const choosing = new Lines({ roomOf });
    const turns = new Map(Object.keys(rooms).map((key, at) => [key, at - 1000]));
    let free = 100;
    for (let now = 1; now < 5000; now++) {
      const { wishes, putOff } = await choosing.choose(50, free);
      if (wishes.has(wanted)) return now;
      for (const [key, count] of wishes) {
        for (let each = 0; each < count; each++, free--) choosing.begin(key, 0);
        choosing.left(key, 5);
        turns.set(key, now);
      }
      for (const [key, ms] of putOff) turns.set(key, now + ms);
      const due = [...turns].filter(([, at]) => at <= now).sort(([, a], [, b]) => a - b);
      choosing.learn(due.slice(0, 100).map(([key]) => line(key)));
    }
    return Number.POSITIVE_INFINITY;
  }

  const crowd = (each: LineRoom): Readonly<Record<string, LineRoom>> => ({
    ...Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`hung-${index}`, each])),
    well: room(1, 'well'),
  });

  test('hundreds of lines whose attempts hang hide no other one', async () => {
    expect(await firstServed(crowd({ kind: 'soon' }), 'well')).toBeLessThan(50);
  });

  test('hundreds of lines of a group that has its part hide no other one, and leave it places', async () => {
    expect(await firstServed(crowd(room(1, 'hung')), 'well')).toBeLessThan(50);
  });
});
