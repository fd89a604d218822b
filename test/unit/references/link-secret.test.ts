import type { Redis } from 'ioredis';
import { LinkSecret } from '../../../src/references/link-secret';

test('a secret that Redis lost at once is made again: with an empty one everybody could sign links', async () => {
  const answers = [null, Buffer.from('secret').toString('base64')];
  const redis = { set: async () => 'OK', get: async () => answers.shift() ?? null } as unknown as Redis;
  const secret = new LinkSecret({ redis, prefix: 'relay' });
  await expect(secret.read()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect((await secret.read()).toString()).toBe('secret');
});
