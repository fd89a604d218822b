import { inspectRedis } from '../../../src/redis/redis-doctor';
import type { RedisClient } from '../../../src/redis/scripts';

/** Of what `inspectRedis` asks, the version alone matters here. */
const redisOf = (version: string): RedisClient =>
  ({
    info: async (section: string) => (section === 'server' ? `redis_version:${version}\r\n` : ''),
    get: async () => null,
    set: async () => 'OK',
    del: async () => 1,
    time: async () => ['0', '0'],
  }) as unknown as RedisClient;

test.each([
  ['5.0.14', 'trouble'],
  ['6.0.16', 'trouble'],
  ['6.2.0', 'ok'],
  ['7.4.6', 'ok'],
  ['10.0.1', 'ok'],
])(
  'Redis %s: %s, as a version without the commands of our scripts is named before one fails',
  async (version, state) => {
    const [connection] = await inspectRedis(redisOf(version), { prefix: 'p', waitReplicas: 0 });
    expect(connection).toMatchObject({
      check: 'connection',
      state,
      detail: expect.stringContaining(version),
    });
  },
);
