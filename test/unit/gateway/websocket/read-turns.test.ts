import { ReadTurns } from '../../../../src/gateway/websocket/read-turns';
import { type Deferred, deferred, turns as settle } from '../../../support/signals/signals';

function setUp(places: number, placesPerStream: number) {
  const turns = new ReadTurns({ places, placesPerStream });
  const running: string[] = [];
  const jobs = new Map<string, Deferred<void>>();
  const add = (name: string): Promise<void> =>
    turns.run(name.split(':')[0] ?? '', () => {
      running.push(name);
      const job = deferred();
      jobs.set(name, job);
      return job.promise;
    });
  const end = async (name: string): Promise<void> => {
    jobs.get(name)?.resolve();
    await settle(1);
  };
  return { turns, running, add, end };
}

test('one stream with much to read leaves places for another (finding 1.13)', async () => {
  const { running, add, end } = setUp(3, 2);
  for (let index = 0; index < 60; index++) void add(`slow:${index}`);
  expect(running).toEqual(['slow:0', 'slow:1']);
  void add('other:0');
  expect(running).toEqual(['slow:0', 'slow:1', 'other:0']);
  void add('other:1');
  await end('slow:0');
  // Both wait, and take turns.
  expect(running.slice(3)).toHaveLength(1);
  await end('slow:1');
  expect(
    running
      .slice(3)
      .map((name) => name.split(':')[0])
      .sort(),
  ).toEqual(['other', 'slow']);
});

test('what fails gives its place back, and its error to its caller', async () => {
  const turns = new ReadTurns({ places: 1, placesPerStream: 1 });
  const failed = turns.run('a', () => Promise.reject(new Error('away')));
  const next = turns.run('a', () => Promise.resolve('read'));
  await expect(failed).rejects.toThrow('away');
  expect(await next).toBe('read');
});

test('what throws at once does, too', async () => {
  const turns = new ReadTurns({ places: 1, placesPerStream: 1 });
  const failed = turns.run('a', () => {
    throw new Error('at once');
  });
  await expect(failed).rejects.toThrow('at once');
  expect(await turns.run('a', () => Promise.resolve('read'))).toBe('read');
});
