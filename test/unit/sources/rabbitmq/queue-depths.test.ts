import { QueueDepths } from '../../../../src/sources/rabbitmq/queue-depths';
import { Session } from '../../../../src/sources/rabbitmq/session';
import { FakeBroker } from '../../../support/fakes/fake-amqp';

async function read(own: readonly string[], ofInstances: number, readings = 1) {
  const broker = new FakeBroker();
  const instances = Array.from({ length: ofInstances }, (_, n) => `shop${n}.call`);
  const depths = new QueueDepths({
    queues: () => [...own, ...instances],
    instanceOf: (queue) => (queue.startsWith('shop') ? queue : undefined),
  });
  const session = await Session.open(broker.connect);
  let result = await depths.read(session);
  for (let reading = 1; reading < readings; reading++) result = await depths.read(session);
  await session.close();
  return { result, broker };
}

describe('depths of queues', () => {
  test('those of instances are one, whatever their names are (finding 3.18)', async () => {
    const { result } = await read(['relay', 'evo.call'], 50);
    expect(result.map(({ queue }) => queue)).toEqual(['relay', 'evo.call', 'instances']);
  });

  test('one reading asks for a bounded number of queues, and all have their turn (finding 3.18)', async () => {
    const { broker } = await read(['relay'], 499, 1);
    expect(broker.calls.filter((call) => call.startsWith('checkQueue'))).toHaveLength(200);
    const { broker: later } = await read(['relay'], 499, 3);
    expect(new Set(later.calls.filter((call) => call.startsWith('checkQueue'))).size).toBe(500);
  });

  test('a queue that does not exist is left out', async () => {
    const broker = new FakeBroker();
    broker.answer = (call) => (call === 'checkQueue gone' ? { refuse: 404 } : 'ok');
    const depths = new QueueDepths({ queues: () => ['gone', 'relay'], instanceOf: () => undefined });
    const session = await Session.open(broker.connect);
    expect((await depths.read(session)).map(({ queue }) => queue)).toEqual(['relay']);
    await session.close();
  });
});
