import { HookLimits } from '../../../../src/destinations/pusher/gateway/hook-limits';
import { deferred } from '../../../support/signals/signals';

const statusOf = (work: Promise<unknown>): Promise<number> =>
  work.then(
    () => 200,
    (error: { status: number }) => error.status,
  );

test('one address asks a bounded number of times at once, and at a pace after that (finding 5.6)', async () => {
  let now = 0;
  const limits = new HookLimits(() => now);
  let calls = 0;
  const ask = async (): Promise<void> => {
    calls++;
  };
  const statuses = await Promise.all(
    Array.from({ length: 500 }, () => statusOf(limits.run('10.0.0.1', ask))),
  );
  expect([calls, statuses.filter((status) => status === 429).length]).toEqual([60, 440]);
  expect(await statusOf(limits.run('10.0.0.2', ask))).toBe(200);
  now += 1000;
  const later = await Promise.all(Array.from({ length: 10 }, () => statusOf(limits.run('10.0.0.1', ask))));
  expect(later.filter((status) => status === 200)).toHaveLength(5);
});

test('addresses of one /64 are one', async () => {
  const limits = new HookLimits(() => 0);
  const all = Array.from({ length: 100 }, (_, index) => `2001:db8:1:2::${index.toString(16)}`);
  const statuses = await Promise.all(all.map((address) => statusOf(limits.run(address, async () => {}))));
  expect(statuses.filter((status) => status === 200)).toHaveLength(60);
  expect(await statusOf(limits.run('2001:db8:1:3::1', async () => {}))).toBe(200);
});

test('all together ask a bounded number of times, whatever their addresses', async () => {
  const limits = new HookLimits(() => 0);
  const addresses = Array.from({ length: 900 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const statuses = await Promise.all(
    addresses.map((address) => statusOf(limits.run(address, async () => {}))),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(500);
  expect(statuses.filter((status) => status === 503)).toHaveLength(400);
});

test('a hook that hangs is asked few times at once for one address', async () => {
  const limits = new HookLimits(() => 0);
  const hanging = deferred();
  let running = 0;
  const asked = Array.from({ length: 60 }, () =>
    limits.run('10.0.0.1', () => {
      running++;
      return hanging.promise;
    }),
  );
  expect(running).toBe(10);
  hanging.resolve();
  await Promise.all(asked);
  expect(running).toBe(60);
});
