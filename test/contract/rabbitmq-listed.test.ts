import type { SourceMessage } from '../../src/pipeline/message';
import type { ListedQueue } from '../../src/sources/rabbitmq/listed-queues';
import type { RabbitMqSource } from '../../src/sources/rabbitmq/rabbitmq-source';
import type { ConsumedExchange, TopologyOptions } from '../../src/sources/rabbitmq/topology';
import { QUORUM, RabbitHarness } from '../support/harness/rabbit-harness';
import { untilReady } from '../support/harness/sources';
import { eventually, Happenings } from '../support/signals/signals';

let harness: RabbitHarness;
beforeEach(async () => {
  harness = await RabbitHarness.open();
});
afterEach(() => harness.close());

const GO_ARGUMENTS = { 'x-queue-type': 'quorum', 'x-ha-policy': 'all' };
const nameOf = (name: string): string => `${harness.prefix}.${name}`;

interface Setup {
  readonly mode?: TopologyOptions['mode'];
  readonly exchanges?: readonly ConsumedExchange[];
  readonly queues?: readonly ListedQueue[];
}

async function start({ mode = 'dedicated', exchanges = [], queues = [] }: Setup) {
  harness.willExist({ queues: queues.map(({ name }) => name), exchanges: exchanges.map(({ name }) => name) });
  const hasFurther = exchanges.some(({ isFurther }) => isFurther === true);
  const source: RabbitMqSource = harness.create(
    {},
    {
      exchanges,
      queues,
      topology: { mode, queue: harness.queue, prefixKey: harness.prefix, hasFurther },
    },
  );
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => {
    message.settle('ack');
    messages.add(message);
  });
  return { source, messages };
}

const listed = (name: string, isGo = false): ListedQueue => ({ name: nameOf(name), isGo });
const further = (name: string): ConsumedExchange => ({ name: nameOf(name), events: 'all', isFurther: true });
const texts = (messages: Happenings<SourceMessage>): string[] =>
  messages.all.map(({ body }) => body.toString()).sort();

describe('existing queues', () => {
  const KINDS: readonly (readonly [kind: string, options: object])[] = [
    ['as evolution-go declares them', { durable: true, arguments: GO_ARGUMENTS }],
    ['quorum', QUORUM],
    ['classic and transient', { durable: false, autoDelete: false }],
    ['with limits', { durable: true, arguments: { 'x-max-length': 1000, 'x-message-ttl': 600_000 } }],
    ['with priorities', { durable: true, arguments: { 'x-max-priority': 5 } }],
  ];
  it.each(KINDS)('%s are consumed as they are', async (_kind, options) => {
    const queue = listed('message');
    harness.willExist({ queues: [queue.name] });
    await harness.channel.assertQueue(queue.name, options);
    harness.channel.sendToQueue(queue.name, Buffer.from('before'));
    const { source, messages } = await start({ queues: [queue] });
    await untilReady(source);
    harness.channel.sendToQueue(queue.name, Buffer.from('after'));
    await messages.count(2);
    expect(texts(messages)).toEqual(['after', 'before']);
    // Its owner may declare it again with its own arguments.
    await harness.tryOn((channel) => channel.assertQueue(queue.name, options));
  });

  it('one that is missing is not made: it is told and waited for, and all else is consumed', async () => {
    const [missing, there] = [listed('missing'), listed('there')];
    harness.willExist({ queues: [there.name] });
    await harness.channel.assertQueue(there.name, QUORUM);
    const { source, messages } = await start({ queues: [missing, there] });
    harness.channel.sendToQueue(there.name, Buffer.from('x'));
    await messages.count(1);
    await eventually(() => (source.refused.length > 0 ? true : undefined), 'it is told');
    expect(source.refused).toMatchObject([
      { code: 'AMQP_404', isEssential: true, text: expect.stringContaining('RABBITMQ_QUEUES') },
    ]);
    await eventually(() => source.state.detail.includes(missing.name) || undefined, 'the state names it');
    expect(source.state.ready).toBe(false);
    await expect(harness.tryOn((channel) => channel.checkQueue(missing.name))).rejects.toThrow('NOT_FOUND');
    await harness.channel.assertQueue(missing.name, QUORUM);
    harness.channel.sendToQueue(missing.name, Buffer.from('y'));
    await messages.count(2);
    await untilReady(source);
  });

  it('those of evolution-go are made with its very arguments, so that it can declare them later', async () => {
    const queue = listed('receipt', true);
    const { source, messages } = await start({ queues: [queue] });
    await untilReady(source);
    await harness.tryOn((channel) =>
      channel.assertQueue(queue.name, { durable: true, arguments: GO_ARGUMENTS }),
    );
    harness.channel.sendToQueue(queue.name, Buffer.from('x'));
    await messages.count(1);
  });

  it('one that is deleted is consumed again once it is back', async () => {
    const queue = listed('presence');
    harness.willExist({ queues: [queue.name] });
    await harness.channel.assertQueue(queue.name, QUORUM);
    const { source, messages } = await start({ queues: [queue] });
    await untilReady(source);
    await harness.channel.deleteQueue(queue.name);
    await eventually(() => (source.state.ready ? undefined : true), 'it is missed');
    await harness.channel.assertQueue(queue.name, QUORUM);
    harness.channel.sendToQueue(queue.name, Buffer.from('x'));
    await messages.count(1);
  });
});

describe.each(['dedicated', 'shared'] as const)('further exchanges in %s mode', (mode) => {
  it('any number of them: everything that is published there comes by the own queue', async () => {
    const exchanges = [further('go-1'), further('go-2')];
    const { source, messages } = await start({ mode, exchanges });
    await untilReady(source);
    await harness.publish('a', 'b34.message', nameOf('go-1'));
    await harness.publish('b', 'anything.at.all', nameOf('go-2'));
    await harness.publish('c', 'x', nameOf('go-2'));
    await messages.count(3);
    expect(texts(messages)).toEqual(['a', 'b', 'c']);
  });

  it('beside the core API, whose own events are narrowed as before', async () => {
    const global = { name: harness.exchange, events: new Set(['CALL']) };
    const { source, messages } = await start({
      mode,
      exchanges: [global, further('go')],
      queues: [listed('message', true)],
    });
    await untilReady(source);
    await harness.publish('no', 'messages.upsert');
    await harness.publish('call', 'call');
    await harness.publish('go', 'messages.upsert', nameOf('go'));
    harness.channel.sendToQueue(nameOf('message'), Buffer.from('message'));
    await messages.count(3);
    expect(texts(messages)).toEqual(['call', 'go', 'message']);
  });

  it('one of another type leaves itself out, and nothing else', async () => {
    harness.willExist({ exchanges: [nameOf('direct')] });
    await harness.declareExchange(nameOf('direct'), 'direct');
    const { source, messages } = await start({ mode, exchanges: [further('direct'), further('go')] });
    await eventually(() => (source.refused.length > 0 ? true : undefined), 'it is told');
    // Not ready as long as one is left out, the source does not say when the other one is bound: until then the broker drops it.
    await eventually(async () => {
      await harness.publish('a', 'x', nameOf('go'));
      return messages.all.length > 0 || undefined;
    }, 'the other one is consumed');
  });
});

it('a message says its id where its publisher gave it one', async () => {
  const { source, messages } = await start({ exchanges: [further('go')] });
  await untilReady(source);
  harness.channel.publish(nameOf('go'), 'x', Buffer.from('a'), { messageId: 'id-1' });
  await messages.count(1);
  expect(messages.all.map(({ messageId }) => messageId)).toEqual(['id-1']);
});
