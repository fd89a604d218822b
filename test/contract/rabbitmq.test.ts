import { randomBytes } from 'node:crypto';
import { RabbitHarness } from '../support/harness/rabbit-harness';
import { sourceSuite } from './source-suite';

sourceSuite('rabbitmq', async () => {
  const bench = await RabbitHarness.open();
  return {
    create: (limits) => bench.create(limits),
    publish: (body) => bench.publish(body),
    bodies: [Buffer.alloc(0), Buffer.from('{"a":"é😀"}'), randomBytes(8192), randomBytes(3_000_000)],
    largestBody: 2_500_000,
    holding: { by: 'connection' },
    waiting: () => bench.waiting(),
    goOffline: () => bench.proxy.goOffline(),
    goOnline: () => bench.proxy.goOnline(),
    closeConnections: () => bench.proxy.closeConnections(),
    close: () => bench.close(),
  };
});
