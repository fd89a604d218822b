import type { SourceMessage } from '../../src/pipeline/message';
import type { RabbitMqSource } from '../../src/sources/rabbitmq/rabbitmq-source';
import type { ConsumedExchange, TopologyOptions } from '../../src/sources/rabbitmq/topology';
import { RabbitHarness, TOPIC } from '../support/harness/rabbit-harness';
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
  readonly recheckMs?: number;
}

/** A source that consumes, and what it yields. */
async function started({ mode = 'dedicated', exchanges = [], recheckMs }: Setup = {}) {
  const source: RabbitMqSource = harness.create(
    {},
    {
      exchanges: [{ name: harness.exchange, events: new Set(['MESSAGES_UPSERT']) }, ...exchanges],
      topology: { mode, queue: harness.queue, prefixKey: harness.prefix, reserved: [harness.exchange] },
      ...(recheckMs === undefined ? {} : { recheckMs }),
    },
  );
  harness.willExist({ queues: [`${harness.prefix}.messages.upsert`] });
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => {
    message.settle('ack');
    messages.add(message);
  });
  await untilReady(source);
  return { source, messages };
}

/** An exchange of an instance with a queue of its own. */
function instance(name: string, events: readonly string[] = ['CALL']): ConsumedExchange {
  const own = `${harness.prefix}.${name}`;
  harness.willExist({
    exchanges: [own],
    queues: ['call', 'chats.set', 'messages.upsert'].map((event) => `${own}.${event}`),
  });
  return { name: own, instance: own, events: new Set(events) };
}

const leftOut = () => harness.logged.all.filter(([text]) => text === 'instance left out');

describe('what AMQP or the broker cannot take leaves out that alone (finding 2.2)', () => {
  const sick: readonly [string, TopologyOptions['mode'], () => ConsumedExchange][] = [
    ['a name of 270 bytes', 'dedicated', () => instance('日'.repeat(90))],
    [
      'a name that is too long with its event',
      'shared',
      () => instance('x'.repeat(230), ['CONTACTS_UPDATE']),
    ],
    ['an event of 300 bytes', 'dedicated', () => instance('events', ['字'.repeat(100), 'CALL'])],
    ['a name of the broker', 'dedicated', () => ({ name: 'amq.x', instance: 'amq.x', events: 'all' })],
    ['line ends', 'dedicated', () => ({ name: 'a\r\n', instance: 'a\r\n', events: 'all' })],
  ];
  test.each(sick)('%s, %s mode', async (_what, mode, make) => {
    const well = instance('well');
    const { source, messages } = await started({ mode, exchanges: [make(), well] });
    for (let connection = 1; connection <= 2; connection++) {
      await harness.publish('global');
      await harness.publish('own', 'call', well.name);
      await messages.count(connection * 2);
      expect([leftOut().length, source.refused.length, source.state.ready]).toEqual([1, 1, true]);
      harness.proxy.closeConnections();
      await harness.proxy.connected.count(connection + 1);
      await untilReady(source);
    }
  });

  test('settings that change while others are sick apply at once', async () => {
    const { source, messages } = await started({ exchanges: [instance('日'.repeat(90))] });
    const late = instance('late');
    await harness.declareExchange(late.name);
    source.consumeExchange(late);
    await eventually(async () => {
      await harness.publish('x', 'call', late.name);
      return messages.all.length > 0 ? true : undefined;
    }, 'an event of the late one');
    source.dropExchange(late.name);
    await eventually(async () => {
      const before = messages.all.length;
      await harness.publish('gone', 'call', late.name);
      await harness.publish('global');
      const now = await messages.count(before + 1);
      return now.at(-1)?.body.toString() === 'global' && now.length === before + 1 ? true : undefined;
    }, 'no more of it');
  });
});

describe('shared mode consumes what is there', () => {
  const declared: readonly [string, object][] = [
    ['classic', { durable: true }],
    ['with a time to live', { durable: true, arguments: { 'x-message-ttl': 60_000 } }],
    ['with another length', { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-max-length': 9 } }],
    ['not durable', { durable: false }],
    ['lazy and mirrored', { durable: true, arguments: { 'x-queue-mode': 'lazy', 'x-ha-policy': 'all' } }],
  ];
  test.each(declared)('%s (finding 2.3)', async (_what, options) => {
    const own = instance('shop', ['CALL', 'CHATS_SET']);
    await harness.channel.assertExchange(own.name, 'topic', TOPIC);
    await harness.channel.assertQueue(`${own.name}.call`, options);
    await harness.channel.assertQueue(`${harness.prefix}.messages.upsert`, options);
    const { source, messages } = await started({ mode: 'shared', exchanges: [own] });
    await harness.publish('global');
    for (const key of ['call', 'chats.set']) await harness.publish('own', key, own.name);
    await messages.count(3);
    expect([source.state.ready, source.refused]).toEqual([true, []]);
  });

  test('but for the one queue that is locked, which leaves the others of its instance (finding 2.5)', async () => {
    const own = instance('shop', ['CALL', 'CHATS_SET']);
    await harness.channel.assertQueue(`${own.name}.call`, { exclusive: true });
    const { source, messages } = await started({ mode: 'shared', exchanges: [own] });
    await harness.publish('own', 'chats.set', own.name);
    await harness.publish('global');
    await messages.count(2);
    await eventually(() => source.refused[0], 'the refusal');
    expect(source.refused).toMatchObject([{ code: 'AMQP_405', instance: own.name }]);
    await harness.channel.deleteQueue(`${own.name}.call`);
    await eventually(() => (source.refused.length === 0 ? true : undefined), 'nothing refused');
    await eventually(async () => {
      await harness.publish('own', 'call', own.name);
      return messages.all.some(({ origin }) => origin.routingKey === 'call') || undefined;
    }, 'an event of the queue');
  });

  test('an exchange of another type leaves out its instance, and its queues are consumed all the same', async () => {
    const own = instance('shop');
    await harness.declareExchange(own.name, 'direct');
    await harness.declareQueue(`${own.name}.call`, own.name, 'call');
    const { source, messages } = await started({ mode: 'shared', exchanges: [own] });
    await harness.publish('own', 'call', own.name);
    await messages.count(1);
    expect(source.refused).toMatchObject([{ code: 'AMQP_406', instance: own.name }]);
  });
});

describe('bindings are looked at again', () => {
  test.each(['dedicated', 'shared'] as const)(
    'an exchange that is deleted and declared anew is bound again: %s mode (finding 3.4)',
    async (mode) => {
      const own = instance('shop');
      const { source, messages } = await started({ mode, exchanges: [own], recheckMs: 1000 });
      for (const name of [harness.exchange, own.name]) {
        await harness.channel.deleteExchange(name);
        await harness.channel.assertExchange(name, 'topic', TOPIC);
      }
      const seen = (text: string): boolean => messages.all.some(({ body }) => body.toString() === text);
      await eventually(async () => {
        await harness.publish('global');
        await harness.publish('own', 'call', own.name);
        return (seen('global') && seen('own')) || undefined;
      }, 'events of both');
      expect(source.state.ready).toBe(true);
    },
  );

  test('an exchange that is deleted is declared anew, and the log says once that events were lost (finding 3.4)', async () => {
    const { messages } = await started({ recheckMs: 1000 });
    await harness.channel.deleteExchange(harness.exchange);
    await eventually(async () => {
      // Into nothing, until it is there: the channel of the harness must not be the one that finds out.
      await harness
        .tryOn(async (channel) => channel.publish(harness.exchange, 'messages.upsert', Buffer.from('x')))
        .catch(() => {});
      return messages.all.length > 0 ? true : undefined;
    }, 'an event');
    const told = harness.logged.all.filter(([text]) => text.startsWith('rabbitmq: an exchange was deleted'));
    expect(told.map(([, fields]) => fields)).toEqual([{ exchange: harness.exchange }]);
  });
});
