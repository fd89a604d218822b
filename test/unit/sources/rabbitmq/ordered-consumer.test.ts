import { SILENT } from '../../../../src/observability/logging';
import type { SourceMessage } from '../../../../src/pipeline/message';
import { OrderedConsumer } from '../../../../src/sources/rabbitmq/ordered-consumer';
import { PrefetchWindow } from '../../../../src/sources/rabbitmq/prefetch-window';
import { Session } from '../../../../src/sources/rabbitmq/session';
import { FakeBroker } from '../../../support/fakes/fake-amqp';
import { eventually, turns } from '../../../support/signals/signals';
import { nth } from '../../../support/values/items';

const QUEUE = 'relay.ordered';

test('it is not closed before the queue has what was acknowledged over a channel that it has given back', async () => {
  const broker = new FakeBroker();
  const session = await Session.open(broker.connect);
  const messages: SourceMessage[] = [];
  const consumer = new OrderedConsumer({
    ...{ session, queue: QUEUE, instances: new Set<string>(), log: SILENT },
    window: new PrefetchWindow(10, 1_000_000),
    onMessage: (message) => void messages.push(message),
    onMarker: () => Promise.resolve(),
    onEnded: () => {},
  });
  await eventually(() => broker.consumers[0], 'a subscription');
  for (const body of ['first', 'second']) broker.deliver(QUEUE, body);
  broker.answer = (call) => (call === `consume ${QUEUE}` ? 'never' : 'ok');
  nth(messages, 0).settle('ack');
  nth(messages, 1).settle('release');

  let isClosed = false;
  const closed = consumer.close().then(() => {
    isClosed = true;
  });
  await turns(50);
  expect([broker.count(`consume ${QUEUE}`), isClosed]).toEqual([2, false]);
  await session.close();
  await closed;
});
