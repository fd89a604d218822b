import { randomBytes } from 'node:crypto';
import { RabbitHarness } from '../support/harness/rabbit-harness';
import { sourceSuite } from './source-suite';

sourceSuite('rabbitmq', async () => {
  const harness = await RabbitHarness.open();
  return {
    create: (limits) => harness.create(limits),
    publish: (body) => harness.publish(body),
    bodies: [Buffer.alloc(0), Buffer.from('{"a":"é😀"}'), randomBytes(8192), randomBytes(3_000_000)],
    largestBody: 2_500_000,
    holding: { by: 'connection' },
    waiting: () => harness.waiting(),
    goOffline: () => harness.proxy.goOffline(),
    goOnline: () => harness.proxy.goOnline(),
    closeConnections: () => harness.proxy.closeConnections(),
    close: () => harness.close(),
  };
});
