import { Redis } from 'ioredis';
import { parseUrl } from '../../src/config/url';
import { connectRedis } from '../../src/redis/client';
import { GroupCommit } from '../../src/retry/group-commit';
import { NotStoredError, RetryStore, type Step } from '../../src/retry/retry-store';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { PrivateRedis } from '../support/servers/private-services';
import { eventually } from '../support/signals/signals';
import { redisConfig } from '../support/values/redis-config';

jest.setTimeout(90_000);

const PREFIX = 'once';
const DESTINATION = 'abcdefgh';

/** A store of its own, so that it may be flushed, filled and frozen. */
describe('script calls take effect once', () => {
  let server: PrivateRedis;
  let admin: Redis;
  let proxy: FreezingProxy;
  let store: RetryStore;
  let client: ReturnType<typeof connectRedis>;
  let commit: GroupCommit;

  beforeEach(async () => {
    server = await PrivateRedis.start();
    admin = new Redis(server.uri);
    proxy = await FreezingProxy.start(Number(parseUrl(server.uri)?.port));
    client = connectRedis(redisConfig(`redis://127.0.0.1:${proxy.port}`, PREFIX), 'commands', () => {});
    store = new RetryStore({ redis: client, prefix: PREFIX, onError: () => {} });
    commit = new GroupCommit(store, () => {});
    await store.waitUntilReady();
  });
  afterEach(async () => {
    commit.close();
    await store.close();
    client.disconnect();
    admin.disconnect();
    await proxy.close();
    await server.dispose();
  });

  const counting = (): Step => store.step('relayCount', [DESTINATION, 'a destination', 1, 0]);
  const count = (step: Step): Promise<unknown> => commit.commit({ bytes: 100, prepare: () => step });
  const counted = async (): Promise<number> =>
    Number(await admin.hget(`${store.prefix}:audit`, `${DESTINATION}:delivered`));

  test('when the answer was lost and it is sent again (finding 3.7)', async () => {
    await count(counting());
    proxy.freezeAnswers();
    await count(counting());
    expect(await counted()).toBe(2);
  });

  test('when it is written again on purpose', async () => {
    const step = counting();
    await store.write([step]);
    await store.write([step]);
    expect(await counted()).toBe(1);
    const again = counting();
    proxy.freezeAnswers();
    await expect(store.write([again])).rejects.toThrow();
    await eventually(() => (store.isReady ? true : undefined), 'a new connection');
    await store.write([again]);
    expect(await counted()).toBe(2);
  });

  test('scripts that Redis has forgotten are sent again (finding 3.2)', async () => {
    await count(counting());
    await admin.script('FLUSH');
    await count(counting());
    await admin.call('SCRIPT', 'FLUSH');
    await store.write([counting(), counting(), counting()]);
    expect(await counted()).toBe(5);
  });

  test('a step that Redis refuses keeps no other from being stored, and can be written again (finding 3.2)', async () => {
    await admin.hset('{once}:claims:wrong', 'no', 'text');
    const args = ['{once}:claims', 'me', 'wrong'];
    const wrong: Step = { ...counting(), script: 'relayUnclaim', args };
    const refused = store.write([counting(), wrong, counting()]);
    const error = await refused.catch((reason: unknown) => reason);
    if (!(error instanceof NotStoredError)) throw new Error('it was not refused', { cause: error });
    expect([0, 1, 2].map((index) => error.isStored(index))).toEqual([true, false, true]);
    expect(error.isRefused(1)).toBe(true);
    expect(await counted()).toBe(2);
    await admin.del('{once}:claims:wrong');
    await admin.set('{once}:claims:wrong', 'me');
    await store.write([wrong]);
    expect(await admin.exists('{once}:claims:wrong')).toBe(0);
  });

  test('what counts or removes passes through a full Redis, what adds does not (finding 3.13)', async () => {
    await count(counting());
    await admin.set('ballast', 'x'.repeat(3_000_000));
    await admin.config('SET', 'maxmemory', '2mb');
    await expect(admin.set('more', '1')).rejects.toThrow('OOM');
    await count(counting());
    await admin.script('FLUSH');
    await count(counting());
    expect(await counted()).toBe(3);
    await expect(store.queue.add('job', {} as never)).rejects.toThrow('OOM');
    await admin.config('SET', 'maxmemory', '0');
  });

  test('numbers of confirmed calls are not kept', async () => {
    for (let round = 0; round < 5; round++) await store.write(Array.from({ length: 50 }, counting));
    const [key] = await admin.keys('{once}:sent:*');
    expect(await admin.hlen(String(key))).toBeLessThanOrEqual(50);
    expect(await admin.ttl(String(key))).toBeGreaterThan(0);
  });
});
