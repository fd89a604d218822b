import { Lifecycle } from '../../../src/lifecycle/lifecycle';
import { runSteps } from '../../../src/lifecycle/steps';
import { SILENT } from '../../../src/observability/logging';
import { deferred } from '../../support/signals/signals';

const DEADLINE_MS = 8000;

describe('a lifecycle', () => {
  let lifecycle: Lifecycle;
  let released: string[];
  const add = (name: string, release: () => unknown = () => {}): string =>
    lifecycle.add(name, name.toUpperCase(), (value) => {
      released.push(value);
      return release();
    });
  const releaseAll = (): Promise<ReadonlyMap<string, string>> =>
    runSteps({ what: 'drain', steps: lifecycle.releaseSteps(1), deadlineMs: DEADLINE_MS, log: SILENT });

  beforeEach(() => {
    lifecycle = new Lifecycle();
    released = [];
  });
  afterEach(() => jest.useRealTimers());

  test('hands back what it takes charge of, and releases it in reverse', async () => {
    expect(['redis', 'store', 'brokers'].map((name) => add(name))).toEqual(['REDIS', 'STORE', 'BROKERS']);
    expect([...(await releaseAll())]).toEqual([]);
    expect(released).toEqual(['BROKERS', 'STORE', 'REDIS']);
  });

  test('releases each part once', async () => {
    add('redis');
    await releaseAll();
    await releaseAll();
    expect(released).toEqual(['REDIS']);
  });

  test('releases every part where others fail or hang, and tells which', async () => {
    jest.useFakeTimers();
    add('redis');
    add('store', () => {
      throw new Error('broken');
    });
    add('destinations', () => deferred().promise);
    add('brokers', () => deferred().promise);
    const release = releaseAll();
    await jest.advanceTimersByTimeAsync(DEADLINE_MS / 2 - 1);
    expect(released).toEqual(['BROKERS']);
    await jest.advanceTimersByTimeAsync(1 + DEADLINE_MS / 4);
    expect([...(await release)]).toEqual([
      ['brokers', 'late'],
      ['destinations', 'late'],
      ['store', 'failed'],
    ]);
    expect(released).toEqual(['BROKERS', 'DESTINATIONS', 'STORE', 'REDIS']);
  });

  test('gives its whole share to its parts: half of what is left to each', () => {
    for (const name of ['a', 'b', 'c']) add(name);
    expect(lifecycle.releaseSteps(8).map(({ name, share }) => [name, share])).toEqual([
      ['c', 4],
      ['b', 2],
      ['a', 2],
    ]);
  });
});
