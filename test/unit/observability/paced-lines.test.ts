import { PacedLines } from '../../../src/observability/paced-lines';

const MINUTE_MS = 60_000;

describe('lines that are paced', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('of more kinds than are told apart say how many they were, and blame none of them', () => {
    const said: string[] = [];
    const paced = new PacedLines((count) => said.push(`others ${count}`));
    const add = (kind: string): void =>
      paced.add(
        kind,
        () => said.push(kind),
        (count) => said.push(`${kind} ${count}`),
      );
    for (let index = 0; index < 1000; index++) add(`kind-${index}`);
    expect(said).toHaveLength(1000);
    for (let index = 0; index < 5; index++) add(`further-${index}`);
    add('kind-7');
    expect(said).toHaveLength(1000);
    jest.advanceTimersByTime(MINUTE_MS);
    expect(said.slice(1000)).toEqual(['kind-7 1', 'others 5']);
    // Those that said nothing for a minute make room.
    jest.advanceTimersByTime(MINUTE_MS);
    add('further-1');
    expect(said.slice(1002)).toEqual(['further-1']);
    jest.advanceTimersByTime(2 * MINUTE_MS);
    expect(jest.getTimerCount()).toBe(0);
  });
});
