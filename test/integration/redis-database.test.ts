import { errorCode } from '../../src/errors';
import { connectRedis } from '../../src/redis/client';
import { withRedis } from '../../src/redis/with-redis';
import { provided } from '../support/harness/provided';
import { eventually } from '../support/signals/signals';
import { redisConfig } from '../support/values/redis-config';

const config = () => redisConfig(`${provided('REDIS_URI').replace(/\/\d*$/, '')}/99`, 'database');

describe('a database that Redis does not have', () => {
  test('is named, and nothing is stored in another one', async () => {
    const errors: unknown[] = [];
    let wasReady = false;
    const redis = connectRedis(config(), 'commands', (error) => errors.push(error));
    redis.on('ready', () => {
      wasReady = true;
    });
    try {
      // It is tried again, and again.
      await eventually(async () => errors.length >= 3 || undefined, 'three errors');
      expect(errors.map(errorCode)).toEqual(errors.map(() => 'STORE_UNAVAILABLE'));
      expect(String(errors[0])).toMatch(/REDIS_URI names database 99.*DB index is out of range/);
      await expect(redis.set('database', '1')).rejects.toThrow();
      expect(wasReady).toBe(false);
    } finally {
      redis.disconnect();
    }
  });

  test('ends a command with that reason', async () => {
    await expect(withRedis(config(), async () => 'done')).rejects.toThrow(/names database 99/);
  });
});
