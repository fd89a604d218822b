import { Redis } from 'ioredis';
import { SILENT } from '../../src/observability/logging';
import { storeMarkKey } from '../../src/redis/store-mark';
import { watchRedis } from '../support/harness/redis-watch';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { eventually } from '../support/signals/signals';

test('readiness says that Redis is silent, in words that are not those of a library (finding 3.1)', async () => {
  const { port } = new URL(process.env['REDIS_URI'] ?? '');
  const proxy = await FreezingProxy.start(Number(port));
  const { health, stop } = watchRedis(`redis://127.0.0.1:${proxy.port}`, 'silent');
  try {
    await eventually(() => health.state.ready || undefined, 'ready');
    const details: string[] = [];
    proxy.freeze();
    await eventually(() => !health.state.ready || undefined, 'not ready', 30_000);
    details.push(health.state.detail);
    expect(details).toEqual([expect.stringContaining('Redis has not answered for 8 s')]);
    await eventually(() => health.state.ready || undefined, 'ready again', 30_000);
  } finally {
    await stop();
    await proxy.close();
  }
}, 60_000);

test('a Redis that is emptied while it is being counted: what was lost is what lay there before (finding 3.11)', async () => {
  const uri = process.env['REDIS_URI'] ?? '';
  const admin = new Redis(uri);
  const errors: string[] = [];
  let counted = 0;
  const { stop } = watchRedis(uri, 'counted', {
    counts: async () => {
      if (++counted === 1) return { parked: 20 };
      await admin.del(storeMarkKey('counted'));
      return { parked: 0 };
    },
    log: { ...SILENT, error: (line) => void errors.push(line) },
  });
  try {
    const lost = await eventually(() => errors[0], 'the loss', 20_000);
    expect(lost).toContain('redis has lost everything');
    expect(lost).toContain('20 parked');
  } finally {
    await stop();
    admin.disconnect();
  }
}, 30_000);
