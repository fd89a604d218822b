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
