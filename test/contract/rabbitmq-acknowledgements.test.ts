import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { SILENT } from '../../src/observability/logging';
import type { SourceMessage } from '../../src/pipeline/message';
import { Consumer } from '../../src/sources/rabbitmq/consumer';
import { OrderedConsumer } from '../../src/sources/rabbitmq/ordered-consumer';
import { PrefetchWindow } from '../../src/sources/rabbitmq/prefetch-window';
import { RabbitMqSource, type RabbitMqSourceOptions } from '../../src/sources/rabbitmq/rabbitmq-source';
import { connector, Session } from '../../src/sources/rabbitmq/session';
import { QUORUM } from '../support/harness/rabbit-harness';
import { texts, untilReady } from '../support/harness/sources';
import { PrivateRabbit } from '../support/servers/private-services';
import { Happenings } from '../support/signals/signals';

jest.setTimeout(180_000);

/** More than a quorum queue takes of a channel before it has answered: 32 frames. */
const COUNT = 100;

let rabbit: PrivateRabbit;
let admin: ChannelModel;
let channel: ConfirmChannel;

beforeAll(async () => {
  rabbit = await PrivateRabbit.start();
  admin = await connect(rabbit.uri);
  channel = await admin.createConfirmChannel();
});
afterAll(async () => {
  await admin.close();
  await rabbit.dispose();
});

async function publish(queue: string, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
  await channel.waitForConfirms();
}

/** The queue's own process stands still, as where a disk is slow; the broker goes on. */
function freeze(queue: string): Promise<string> {
  return rabbit.control('eval', `sys:suspend(whereis('%2F_${queue}')).`);
}

function thaw(queue: string): Promise<string> {
  return rabbit.control('eval', `sys:resume(whereis('%2F_${queue}')).`);
}

/** Nobody else may subscribe to the queue from now on. */
async function consumeAlone(queue: string): Promise<void> {
  const other = await admin.createChannel();
  await other.consume(queue, () => {}, { exclusive: true });
}

/** A frame for each, as the first one is still held. */
function acknowledgeAllButFirst(messages: Happenings<SourceMessage>): void {
  for (const message of messages.all.slice(1)) message.settle('ack');
}

function sourceOf(
  options: Pick<RabbitMqSourceOptions, 'topology'> & Partial<RabbitMqSourceOptions>,
): RabbitMqSource {
  const limits = { frameMax: 8192, prefetch: COUNT, maxBytes: 1_000_000 };
  return new RabbitMqSource({ uri: rabbit.uri, ...limits, exchanges: [], log: SILENT, ...options });
}

/** Of queues that are there. */
function sourceOfListed(names: readonly string[], prefetch: number): RabbitMqSource {
  const queues = names.map((name) => ({ name, isGo: false }));
  return sourceOf({ topology: { mode: 'shared', queue: 'relay', prefixKey: '' }, queues, prefetch });
}

/** What comes to another worker, up to what is published once the first message has come back. */
async function whatComesAgain(queue: string): Promise<string[]> {
  const bodies = new Happenings<string>();
  const other = await admin.createChannel();
  await other.consume(queue, (message) => bodies.add(String(message?.content)), { noAck: true });
  await bodies.count(1);
  const sofar = bodies.all.length;
  await publish(queue, ['last']);
  for (let count = sofar + 1; bodies.all.at(-1) !== 'last'; count++) await bodies.count(count);
  await other.close();
  return bodies.all;
}

describe('what a worker acknowledged before it ended does not come again', () => {
  const numbers = Array.from({ length: COUNT }, (_, index) => String(index));

  test('where the queue is slow to take it', async () => {
    const source = sourceOf({ topology: { mode: 'dedicated', queue: 'relay', prefixKey: '' } });
    const messages = new Happenings<SourceMessage>();
    await source.start((message) => messages.add(message));
    await untilReady(source);
    await publish('relay', numbers);
    await messages.count(COUNT);
    await source.stopIntake();

    await freeze('relay');
    acknowledgeAllButFirst(messages);
    const closed = source.close();
    await thaw('relay');
    await closed;
    expect(await whatComesAgain('relay')).toEqual(['0', 'last']);
  });

  test.each([
    ['was deleted', 'quorum', (queue: string) => channel.deleteQueue(queue)],
    ['is for somebody else alone', 'classic', (queue: string) => consumeAlone(queue)],
    ['is a stream', 'stream', () => Promise.resolve()],
  ])('where another queue of the same channel %s', async (_what, type, change) => {
    const slow = `slow beside ${type}`.replaceAll(' ', '-');
    await channel.assertQueue(slow, QUORUM);
    await channel.assertQueue(type, { durable: true, arguments: { 'x-queue-type': type } });
    const source = sourceOfListed([type, slow], 2 * COUNT);
    const messages = new Happenings<SourceMessage>();
    await source.start((message) => messages.add(message));
    await untilReady(source);
    await publish(type, ['other']);
    await messages.count(1);
    messages.all[0]?.settle('ack');
    await publish(slow, numbers);
    await messages.count(1 + COUNT);
    await source.stopIntake();
    await change(type);

    await freeze(slow);
    for (const message of messages.all.slice(2)) message.settle('ack');
    const closed = source.close();
    await thaw(slow);
    await closed;
    expect(await whatComesAgain(slow)).toEqual(['0', 'last']);
  });

  test('where the queue is an ordered one, of which nobody else gets what follows meanwhile', async () => {
    const queue = 'relay.ordered';
    const single = { ...QUORUM.arguments, 'x-single-active-consumer': true };
    await channel.assertQueue(queue, { ...QUORUM, arguments: single });
    await publish(queue, numbers);
    const session = await Session.open(connector(rabbit.uri, 8192));
    const messages = new Happenings<SourceMessage>();
    const consumer = new OrderedConsumer({
      ...{ session, queue, instances: new Set<string>(), log: SILENT },
      window: new PrefetchWindow(COUNT, 1_000_000),
      onMessage: (message) => messages.add(message),
      onMarker: () => Promise.resolve(),
      onEnded: () => {},
    });
    await messages.count(COUNT);
    consumer.stopIntake();

    await freeze(queue);
    acknowledgeAllButFirst(messages);
    expect(texts(messages)).toEqual(numbers);
    const closed = consumer.close();
    await thaw(queue);
    await closed;
    await session.close();
    expect(await whatComesAgain(queue)).toEqual(['0', 'last']);
  });

  test('where another queue of the channel was deleted while a message of it was held', async () => {
    for (const queue of ['kept', 'gone']) await channel.assertQueue(queue, QUORUM);
    await publish('kept', numbers);
    await publish('gone', ['of a queue that is gone']);
    const session = await Session.open(connector(rabbit.uri, 8192));
    const messages = new Happenings<SourceMessage>();
    const ended = new Happenings<string>();
    const consumer = new Consumer(
      {
        ...{ session, instances: new Set<string>(), log: SILENT },
        window: new PrefetchWindow(2 * COUNT, 1_000_000),
        onMessage: (message) => messages.add(message),
      },
      {
        onLost: () => {},
        onEnded: (queue) => ended.add(queue),
        onSubscribed: () => {},
        onCrowded: () => {},
      },
    );
    consumer.want(new Set(['kept']), COUNT);
    await messages.count(COUNT);
    consumer.want(new Set(['kept', 'gone']), COUNT);
    await messages.count(COUNT + 1);
    await channel.deleteQueue('gone');
    await ended.count(1);
    await consumer.stopIntake();
    messages.all.at(-1)?.settle('ack');

    await freeze('kept');
    acknowledgeAllButFirst(messages);
    const closed = consumer.close();
    await thaw('kept');
    await closed;
    await session.close();
    expect(await whatComesAgain('kept')).toEqual(['0', 'last']);
  });
});

test('the end of a worker gives back a message once, as a queue counts that and drops what came back too often', async () => {
  const queue = 'limited';
  await channel.assertQueue(queue, { ...QUORUM, arguments: { ...QUORUM.arguments, 'x-delivery-limit': 1 } });
  await publish(queue, ['0', '1', '2']);
  const source = sourceOfListed([queue], 2);
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => messages.add(message));
  await messages.count(2);
  await source.stopIntake();
  messages.all[0]?.settle('release');
  messages.all[1]?.settle('ack');
  await source.close();
  expect((await whatComesAgain(queue)).sort()).toEqual(['0', '2', 'last']);
});
