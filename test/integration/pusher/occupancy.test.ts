import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { appName, OccupancyStore } from '../../../src/destinations/pusher/occupancy/occupancy-store';
import { OccupancyView } from '../../../src/destinations/pusher/occupancy/occupancy-view';
import { RedisConnections } from '../../../src/redis/connections';
import type { Subscriber } from '../../../src/redis/subscriber';
import { CREDENTIALS } from '../../support/pusher/destination';
import { deferred, eventually } from '../../support/signals/signals';
import { redisConfig } from '../../support/values/redis-config';

const APP = appName(CREDENTIALS);

describe('which channels are occupied', () => {
  let redis: Redis;
  let prefix: string;
  let store: OccupancyStore;
  let views: { view: OccupancyView; connections: RedisConnections }[];
  let errors: unknown[];
  /** What Pusher answers; undefined: nothing. */
  let answer: readonly string[] | undefined;
  let asked: number;

  beforeEach(async () => {
    redis = new Redis(process.env['REDIS_URI'] ?? '');
    prefix = `occupancy-${randomBytes(6).toString('hex')}`;
    store = new OccupancyStore(redis, prefix);
    views = [];
    errors = [];
    answer = [];
    asked = 0;
  });
  afterEach(async () => {
    for (const { view, connections } of views) {
      await view.stop();
      connections.close();
    }
    const keys = await redis.keys(`{${prefix}}*`);
    if (keys.length > 0) await redis.del(...keys);
    redis.disconnect();
  });

  const ask = async (): Promise<readonly string[]> => {
    asked++;
    if (answer === undefined) throw new Error('Pusher is away');
    return answer;
  };

  function openView(checkMs = 60_000): { view: OccupancyView; subscriber: Subscriber } {
    const config = redisConfig(process.env['REDIS_URI'] ?? '', prefix);
    const connections = new RedisConnections({ config, onError: () => {} });
    const subscriber = connections.subscriber();
    const view = new OccupancyView({ store, subscriber, checkMs, onError: (error) => errors.push(error) });
    views.push({ view, connections });
    view.start();
    return { view, subscriber };
  }

  /** One worker's view, which has heard of the app. */
  function open(checkMs = 60_000): { isVacant: (channel: string) => boolean; subscriber: Subscriber } {
    const { view, subscriber } = openView(checkMs);
    const isVacant = (channel: string) => view.isVacant({ name: APP, ask }, channel);
    isVacant('a');
    return { isVacant, subscriber };
  }

  const becomes = (check: () => boolean, what: string) => eventually(() => check() || undefined, what);

  test('a channel is vacant once Pusher says so and webhooks are known to come', async () => {
    await store.apply(APP, 'occupied', 'a', Date.now());
    answer = ['a'];
    const { isVacant } = open();
    expect(isVacant('b')).toBe(false);
    await becomes(() => isVacant('b'), 'b is vacant');
    expect(isVacant('a')).toBe(false);
  });

  test('webhooks change it at once, for every worker', async () => {
    await store.apply(APP, 'occupied', 'a', Date.now() - 1000);
    answer = ['a'];
    const [one, two] = [open(), open()];
    for (const { isVacant } of [one, two]) await becomes(() => isVacant('b'), 'b is vacant');
    await store.apply(APP, 'vacated', 'a', Date.now());
    await store.apply(APP, 'occupied', 'b', Date.now());
    for (const { isVacant } of [one, two]) await becomes(() => isVacant('a') && !isVacant('b'), 'changed');
    expect(asked).toBe(1);
  });

  test('without any webhook it is in doubt: everything is sent', async () => {
    const { isVacant } = open(100);
    await becomes(() => asked >= 3, 'Pusher was asked');
    expect(isVacant('b')).toBe(false);
  });

  test('while Pusher does not answer it is in doubt, soon after its last answer', async () => {
    await store.apply(APP, 'occupied', 'a', Date.now());
    const { isVacant } = open(200);
    await becomes(() => isVacant('b'), 'b is vacant');
    answer = undefined;
    await becomes(() => !isVacant('b'), 'in doubt');
    expect(errors.length).toBeGreaterThan(0);
  });

  test('when what Redis held is lost it is in doubt, until it is known again', async () => {
    await store.apply(APP, 'occupied', 'a', Date.now());
    const { isVacant } = open(200);
    await becomes(() => isVacant('b'), 'b is vacant');
    const keys = (await redis.keys(`{${prefix}}*`)).filter((key) => !key.endsWith(':turn'));
    await redis.del(...keys);
    await becomes(() => !isVacant('b'), 'in doubt');
    answer = ['c'];
    await store.apply(APP, 'occupied', 'c', Date.now());
    await becomes(() => isVacant('b') && !isVacant('c'), 'known again');
  });

  test('while the connection that tells of changes is down it is in doubt', async () => {
    await store.apply(APP, 'occupied', 'a', Date.now());
    const { isVacant, subscriber } = open();
    await becomes(() => isVacant('b'), 'b is vacant');
    subscriber.close();
    await becomes(() => !isVacant('b'), 'in doubt');
  });

  test('a webhook that comes late does not undo a later one', async () => {
    const now = Date.now();
    await store.apply(APP, 'occupied', 'a', now);
    await store.apply(APP, 'vacated', 'a', now - 1);
    expect((await store.read(APP)).occupied).toEqual(['a']);
  });

  test('an old one that says vacant is not believed, as it may be sent again by anybody who saw it', async () => {
    await store.apply(APP, 'vacated', 'a', Date.now() - 3_600_000);
    expect(await store.read(APP)).toMatchObject({ toldAt: 0, version: 0 });
    await redis.sadd(`{${prefix}}:occupancy:${APP}:channels`, 'b');
    await store.apply(APP, 'vacated', 'b', Date.now() - 3_600_000);
    expect((await store.read(APP)).occupied).toEqual(['b']);
  });

  test('what webhooks told while Pusher was asked is not undone by its answer', async () => {
    await store.apply(APP, 'occupied', 'a', Date.now());
    const before = await store.read(APP);
    await store.apply(APP, 'occupied', 'b', Date.now());
    expect(await store.correct(APP, before, ['c'])).toBe(false);
    const { occupied, checkedAt } = await store.read(APP);
    expect([[...occupied].sort(), checkedAt]).toEqual([['a', 'b', 'c'], 0]);
    const after = await store.read(APP);
    expect(await store.correct(APP, after, ['c'])).toBe(true);
    expect((await store.read(APP)).occupied).toEqual(['c']);
  });

  describe('times (finding 3.23)', () => {
    const occupied = async (): Promise<readonly string[]> => (await store.read(APP)).occupied;
    const HOUR = 3_600_000;

    test('from the future do not outdo what comes after them: somebody who subscribes counts', async () => {
      await store.apply(APP, 'occupied', 'a', Date.now() + HOUR);
      expect(await occupied()).toEqual(['a']);
      await store.apply(APP, 'vacated', 'a', Date.now() + HOUR);
      expect(await occupied()).toEqual(['a']);
      await store.apply(APP, 'occupied', 'b', Date.now());
      expect([...(await occupied())].sort()).toEqual(['a', 'b']);
      // The clock was put right: what is told now counts.
      await store.apply(APP, 'vacated', 'a', Date.now() + 5);
      expect(await occupied()).toEqual(['b']);
    });

    test('a little ahead they are believed; a later subscription with the right time is, too', async () => {
      await store.apply(APP, 'occupied', 'a', Date.now());
      await store.apply(APP, 'vacated', 'a', Date.now() + 5000);
      expect(await occupied()).toEqual([]);
      await store.apply(APP, 'occupied', 'a', Date.now());
      expect(await occupied()).toEqual(['a']);
    });

    test('that are the same are in doubt: occupied', async () => {
      const now = Date.now();
      for (const change of ['occupied', 'vacated'] as const) await store.apply(APP, change, 'a', now);
      expect(await occupied()).toEqual(['a']);
    });

    test('before the last answer of Pusher itself say nothing new', async () => {
      const told = Date.now();
      await eventually(() => Date.now() > told + 5 || undefined, 'later');
      await store.correct(APP, await store.read(APP), ['a']);
      await store.apply(APP, 'vacated', 'a', told);
      expect(await occupied()).toEqual(['a']);
    });

    test('of a state that was kept by a Redis whose clock was ahead make nothing vacant', async () => {
      await store.apply(APP, 'occupied', 'a', Date.now());
      const { isVacant } = open(60_000);
      await becomes(() => isVacant('b'), 'b is vacant');
      await redis.hset(`{${prefix}}:occupancy:${APP}:state`, 'checkedAt', Date.now() + HOUR);
      await redis.publish(store.channel, `${APP} corrected`);
      await becomes(() => !isVacant('b'), 'in doubt');
    });
  });

  describe('bounds (finding 1.7)', () => {
    test('where an app has more channels than are kept, nothing is vacant', async () => {
      for (const channel of ['a', 'b']) await store.apply(APP, 'occupied', channel, Date.now());
      await store.correct(APP, await store.read(APP), ['a', 'b', 'c'], 2);
      expect(await store.read(APP)).toMatchObject({ isFull: true, occupied: [] });
      answer = ['a'];
      const { isVacant } = open(100);
      await becomes(() => isVacant('b'), 'few enough again');
    });

    test('more webhooks than channels that are kept take no more room', async () => {
      for (let index = 0; index < 20; index++) await store.apply(APP, 'occupied', `c${index}`, Date.now(), 5);
      const state = await store.read(APP);
      expect([state.occupied.length, state.isFull]).toEqual([5, true]);
      expect(await redis.zcard(`{${prefix}}:occupancy:${APP}:told`)).toBe(5);
    });

    test('everything expires, and is forgotten with the last instance that has the app', async () => {
      await store.apply(APP, 'occupied', 'a', Date.now());
      await store.correct(APP, await store.read(APP), ['a']);
      const keys = await redis.keys(`{${prefix}}*`);
      expect(keys.length).toBeGreaterThanOrEqual(4);
      for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
      await store.retain(new Set([APP]));
      expect((await store.read(APP)).occupied).toEqual(['a']);
      await store.retain(new Set());
      expect(await redis.keys(`{${prefix}}*`)).toEqual([]);
    });
  });

  test('a message about a change that was missed: in doubt, until it was read', async () => {
    await store.apply(APP, 'occupied', 'a', Date.now());
    answer = ['a'];
    const { isVacant } = open();
    await becomes(() => isVacant('b'), 'b is vacant');
    // Two webhooks, of which the first was not heard.
    const state = `{${prefix}}:occupancy:${APP}:state`;
    await redis.sadd(`{${prefix}}:occupancy:${APP}:channels`, 'b');
    await redis.hincrby(state, 'version', 1);
    await store.apply(APP, 'occupied', 'c', Date.now());
    await becomes(() => !isVacant('b') && isVacant('d'), 'b is known');
  });

  test('apps are asked beside each other: one that hangs holds up itself alone (finding 1.15)', async () => {
    const { view } = openView();
    const hanging = deferred<readonly string[]>();
    const named = (key: string) => appName({ ...CREDENTIALS, key });
    for (let index = 0; index < 8; index++) {
      view.isVacant({ name: named(`hangs-${index}`), ask: () => hanging.promise }, 'a');
    }
    await store.apply(APP, 'occupied', 'a', Date.now());
    const isVacant = (channel: string) => view.isVacant({ name: APP, ask }, channel);
    await becomes(() => isVacant('b'), 'the others are known meanwhile');
    hanging.resolve([]);
  });

  test('who does not know the secret cannot touch what is known of an app', () => {
    expect(appName({ ...CREDENTIALS, secret: 'guess' })).not.toBe(APP);
    expect(APP).not.toContain(CREDENTIALS.secret);
  });
});
