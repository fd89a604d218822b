import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { appName, OccupancyStore } from '../../../src/destinations/pusher/occupancy/occupancy-store';
import { OccupancyView } from '../../../src/destinations/pusher/occupancy/occupancy-view';
import { RedisConnections } from '../../../src/redis/connections';
import type { Subscriber } from '../../../src/redis/subscriber';
import { CREDENTIALS } from '../../support/pusher/destination';
import { redisConfig } from '../../support/redis-config';
import { eventually } from '../../support/signals';

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

  /** One worker's view, which has heard of the app. */
  function open(checkMs = 60_000): { isVacant: (channel: string) => boolean; subscriber: Subscriber } {
    const config = redisConfig(process.env['REDIS_URI'] ?? '', prefix);
    const connections = new RedisConnections({ config, onError: () => {} });
    const subscriber = connections.subscriber();
    const view = new OccupancyView({ store, subscriber, checkMs, onError: (error) => errors.push(error) });
    views.push({ view, connections });
    view.start();
    const isVacant = (channel: string) => view.isVacant(APP, ask, channel);
    isVacant('a');
    return { isVacant, subscriber };
  }

  const becomes = (check: () => boolean, what: string) => eventually(() => check() || undefined, what, 5000);

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
    const { version } = await store.read(APP);
    await store.apply(APP, 'occupied', 'b', Date.now());
    expect(await store.correct(APP, version, ['c'])).toBe(false);
    const { occupied, checkedAt } = await store.read(APP);
    expect([[...occupied].sort(), checkedAt]).toEqual([['a', 'b', 'c'], 0]);
    const after = await store.read(APP);
    expect(await store.correct(APP, after.version, ['c'])).toBe(true);
    expect((await store.read(APP)).occupied).toEqual(['c']);
  });

  test('who does not know the secret cannot touch what is known of an app', () => {
    expect(appName({ ...CREDENTIALS, secret: 'guess' })).not.toBe(APP);
    expect(APP).not.toContain(CREDENTIALS.secret);
  });
});
