import { RabbitBench } from '../support/rabbit-bench';
import { sourceSuite } from './source-suite';

sourceSuite('rabbitmq', async () => {
  const bench = await RabbitBench.open();
  return {
    create: (limits) => bench.create(limits),
    publish: (body) => bench.publish(body),
    waiting: () => bench.waiting(),
    goOffline: () => bench.proxy.goOffline(),
    goOnline: () => bench.proxy.goOnline(),
    closeConnections: () => bench.proxy.closeConnections(),
    close: () => bench.close(),
  };
});
