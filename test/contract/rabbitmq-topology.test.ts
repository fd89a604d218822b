import type { Origin } from '../../src/events/envelope';
import type { SourceMessage } from '../../src/pipeline/message';
import type { RabbitMqSource } from '../../src/sources/rabbitmq/rabbitmq-source';
import type { ConsumedExchange, TopologyOptions } from '../../src/sources/rabbitmq/topology';
import { QUORUM, RabbitHarness, TOPIC } from '../support/harness/rabbit-harness';
import { untilReady } from '../support/harness/sources';
import { eventually, Happenings } from '../support/signals/signals';

let harness: RabbitHarness;
beforeEach(async () => {
  harness = await RabbitHarness.open();
});
afterEach(() => harness.close());

interface Setup {
  readonly mode?: TopologyOptions['mode'];
  readonly exchanges?: readonly ConsumedExchange[];
}

/** A source that consumes, and what it yields. */
async function started({ mode = 'dedicated', exchanges }: Setup = {}) {
  const source: RabbitMqSource = harness.create(
    {},
    {
      exchanges: exchanges ?? [{ name: harness.exchange, events: 'all' }],
      topology: { mode, queue: harness.queue, prefixKey: harness.prefix },
    },
  );
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => {
    message.settle('ack');
    messages.add(message);
  });
  await untilReady(source);
  return { source, messages, origins: (): Origin[] => messages.all.map(({ origin }) => origin) };
}

/** An exchange of an instance: one that is declared by the source itself, unless a type is given. */
async function instanceExchange(name: string, type?: string): Promise<ConsumedExchange> {
  const exchange = `${harness.prefix}.${name}`;
  harness.willExist({ exchanges: [exchange] });
  if (type !== undefined) await harness.declareExchange(exchange, type);
  return { name: exchange, instance: exchange, events: 'all' };
}

describe('dedicated mode', () => {
  test('works on an empty broker: everything is declared before the first event', async () => {
    await harness.channel.deleteExchange(harness.exchange);
    const { messages } = await started();
    await harness.publish('first');
    await messages.count(1);
  });

  test('works where the core API came first, and where it comes later, with its own arguments', async () => {
    const instance = await instanceExchange('loja.centro', 'topic');
    await harness.declareQueue(`${instance.name}.messages.upsert`, instance.name, 'messages.upsert');
    const { messages } = await started({ exchanges: [{ name: harness.exchange, events: 'all' }, instance] });
    await harness.tryOn(async (channel) => {
      for (const exchange of [harness.exchange, instance.name])
        await channel.assertExchange(exchange, 'topic', TOPIC);
      await channel.assertQueue(`${instance.name}.messages.upsert`, QUORUM);
    });
    await harness.publish('global');
    await harness.publish('own', 'messages.upsert', instance.name);
    await messages.count(2);
  });

  test('takes both routing key styles, and any event, known or not', async () => {
    const { messages, origins } = await started();
    const keys = [
      'messages.upsert',
      'my-instance.messages.upsert',
      'a.b.call',
      'call',
      'brand.new',
      'MESSAGES_UPSERT',
    ];
    for (const key of keys) await harness.publish('x', key);
    await messages.count(keys.length);
    expect(origins()).toEqual(keys.map((routingKey) => ({ routingKey })));
  });

  test('takes exactly what a filter lets pass, in both routing key styles', async () => {
    const events = new Set(['MESSAGES_UPSERT', 'GROUPS_UPDATE']);
    const { messages, origins } = await started({ exchanges: [{ name: harness.exchange, events }] });
    for (const key of ['call', 'x.call', 'messages.update', 'send.message.update', 'messages.upsert.x']) {
      await harness.publish('no', key);
    }
    const wanted = ['messages.upsert', 'x.y.messages.upsert', 'groups.update', 'group.update'];
    for (const key of wanted) await harness.publish('yes', key);
    await messages.count(wanted.length);
    expect(origins().map(({ routingKey }) => routingKey)).toEqual(wanted);
  });

  test('bindings of an earlier configuration are gone', async () => {
    const first = await started();
    await first.source.close();
    const filter = (key: string): ConsumedExchange[] => [{ name: harness.exchange, events: new Set([key]) }];
    const second = await started({ exchanges: filter('MESSAGES_UPSERT') });
    await second.source.close();
    const { messages, origins } = await started({ exchanges: filter('CALL') });
    for (const key of ['messages.upsert', 'brand.new', 'call']) await harness.publish('x', key);
    await messages.count(1);
    expect(origins()).toEqual([{ routingKey: 'call' }]);
    expect(await harness.waiting()).toBe(0);
  });

  test('a message from the exchange of an instance names it', async () => {
    const instance = await instanceExchange('São.1');
    const { messages, origins } = await started({
      exchanges: [{ name: harness.exchange, events: 'all' }, instance],
    });
    await harness.publish('x', 'messages.upsert', instance.name);
    await harness.publish('x');
    await messages.count(2);
    expect(origins()).toEqual([
      { routingKey: 'messages.upsert', instance: instance.name },
      { routingKey: 'messages.upsert' },
    ]);
  });

  test('an exchange that the broker refuses leaves out its instance, and only that', async () => {
    const wrong = await instanceExchange('wrong', 'fanout');
    const right = await instanceExchange('right');
    const { messages } = await started({
      exchanges: [wrong, { name: harness.exchange, events: 'all' }, right],
    });
    await harness.publish('global');
    await harness.publish('own', 'call', right.name);
    await messages.count(2);
    const [left] = harness.logged.all.filter(([text]) => text === 'instance left out');
    expect(left?.[1]).toMatchObject({ code: 'AMQP_406', error: expect.stringContaining(wrong.name) });
  });

  test('a queue that exists with other arguments is consumed as it is (finding 2.3)', async () => {
    await harness.channel.assertQueue(harness.queue, { durable: true });
    const { messages } = await started();
    await harness.publish('x');
    await messages.count(1);
  });
});

describe('shared mode', () => {
  const GLOBAL_EVENTS = new Set(['MESSAGES_UPSERT', 'GROUP_PARTICIPANTS_UPDATE']);
  const names = (): string[] =>
    ['messages.upsert', 'group-participants.update'].map((event) => `${harness.prefix}.${event}`);

  test('consumes the queues of the core API, what lies in them included', async () => {
    const [queue = ''] = names();
    await harness.declareQueue(queue, harness.exchange, 'messages.upsert');
    harness.willExist({ queues: names() });
    await harness.publish('before');
    const { messages } = await started({
      mode: 'shared',
      exchanges: [{ name: harness.exchange, events: GLOBAL_EVENTS }],
    });
    await harness.publish('after');
    await harness.publish('x', 'group-participants.update');
    await messages.count(3);
    await eventually(async () => ((await harness.waiting(queue)) === 0 ? true : undefined), 'an empty queue');
  });

  test('declares them as the core API does, so that it may come later', async () => {
    harness.willExist({ queues: names() });
    const { messages } = await started({
      mode: 'shared',
      exchanges: [{ name: harness.exchange, events: GLOBAL_EVENTS }],
    });
    await harness.tryOn(async (channel) => {
      for (const name of names()) await channel.assertQueue(name, QUORUM);
      await channel.bindQueue(names()[0] ?? '', harness.exchange, 'messages.upsert');
    });
    await harness.publish('x');
    await messages.count(1);
  });

  test('consumes {instance}.{event} of an instance, and names it', async () => {
    const instance = await instanceExchange('loja');
    harness.willExist({ queues: [`${instance.name}.call`] });
    const { messages, origins } = await started({
      mode: 'shared',
      exchanges: [{ ...instance, events: new Set(['CALL']) }],
    });
    await harness.publish('x', 'call', instance.name);
    await messages.count(1);
    expect(origins()).toEqual([{ routingKey: 'call', instance: instance.name }]);
  });

  test('makes no dedicated queue', async () => {
    harness.willExist({ queues: names() });
    await started({ mode: 'shared', exchanges: [{ name: harness.exchange, events: GLOBAL_EVENTS }] });
    await expect(harness.tryOn((channel) => channel.checkQueue(harness.queue))).rejects.toMatchObject({
      code: 404,
    });
  });

  test('large messages in many queues all come through, within the bounds', async () => {
    const events = [
      'CALL',
      'CHATS_SET',
      'CHATS_UPSERT',
      'MESSAGES_SET',
      'MESSAGES_UPSERT',
      'PRESENCE_UPDATE',
    ];
    const keys = ['call', 'chats.set', 'chats.upsert', 'messages.set', 'messages.upsert', 'presence.update'];
    harness.willExist({ queues: keys.map((key) => `${harness.prefix}.${key}`) });
    const source = harness.create(
      { maxBytes: 1_048_576 },
      {
        exchanges: [{ name: harness.exchange, events: new Set(events) }],
        topology: { mode: 'shared', queue: '', prefixKey: harness.prefix },
      },
    );
    let held = 0;
    let most = 0;
    const messages = new Happenings<SourceMessage>();
    await source.start((message) => {
      most = Math.max(most, ++held);
      setImmediate(() => {
        held--;
        message.settle('ack');
        messages.add(message);
      });
    });
    await untilReady(source);
    for (const key of keys) for (let n = 0; n < 3; n++) await harness.publish(Buffer.alloc(600_000), key);
    await messages.count(18);
    expect(most).toBe(1);
  });
});

describe('what the broker tells', () => {
  test('depth and consumers of each queue', async () => {
    const { source } = await started();
    expect(await source.depths()).toEqual([{ queue: harness.queue, messages: 0, consumers: 1 }]);
    await source.stopIntake();
    await harness.publish('x');
    await eventually(async () => {
      const [depth] = await source.depths();
      return depth?.messages === 1 && depth.consumers === 0 ? true : undefined;
    }, 'one message, no consumer');
    await source.close();
    expect(await source.depths()).toEqual([]);
  });

  test('when a message was published, where it says so', async () => {
    const { messages } = await started();
    harness.channel.publish(harness.exchange, 'call', Buffer.from('x'), { timestamp: 1_700_000_000 });
    await harness.publish('y');
    await messages.count(2);
    expect(messages.all.map(({ publishedAt }) => publishedAt)).toEqual([1_700_000_000_000, undefined]);
  });
});
