import { type Channel, type ChannelModel, connect } from 'amqplib';
import { SILENT } from '../../src/observability/logging';
import type { SourceMessage } from '../../src/pipeline/message';
import { type InspectOptions, inspectRabbitMq } from '../../src/sources/rabbitmq/rabbitmq-doctor';
import { RabbitMqSource } from '../../src/sources/rabbitmq/rabbitmq-source';
import { QUORUM, TOPIC } from '../support/harness/rabbit-harness';
import { untilReady } from '../support/harness/sources';
import { PrivateRabbit } from '../support/servers/private-services';
import { eventually, Happenings } from '../support/signals/signals';

jest.setTimeout(180_000);

let rabbit: PrivateRabbit;
let admin: ChannelModel;
let channel: Channel;
let source: RabbitMqSource | undefined;

beforeAll(async () => {
  rabbit = await PrivateRabbit.start();
  admin = await connect(rabbit.uri);
  channel = await admin.createChannel();
  await channel.assertExchange('evolution', 'topic', TOPIC);
  for (const queue of ['relay', 'evo.call', 'evo.chats.set']) await channel.assertQueue(queue, QUORUM);
  await channel.bindQueue('relay', 'evolution', '#');
  await channel.bindQueue('evo.call', 'evolution', 'call');
  await channel.bindQueue('evo.chats.set', 'evolution', 'chats.set');
  await rabbit.control('await_startup', '--timeout', '60');
  await rabbit.control('add_user', 'reader', 'secret');
});
afterEach(() => source?.close());
afterAll(async () => {
  await admin.close();
  await rabbit.dispose();
});

async function started(mode: 'dedicated' | 'shared'): Promise<Happenings<SourceMessage>> {
  const uri = new URL(rabbit.uri);
  uri.username = 'reader';
  uri.password = 'secret';
  const made = new RabbitMqSource({
    uri: uri.href,
    frameMax: 8192,
    prefetch: 10,
    maxBytes: 1_000_000,
    exchanges: [{ name: 'evolution', events: new Set(['CALL', 'CHATS_SET', 'CHATS_UPSERT']) }],
    topology: { mode, queue: 'relay', prefixKey: 'evo' },
    log: SILENT,
  });
  source = made;
  const messages = new Happenings<SourceMessage>();
  await made.start((message) => {
    message.settle('ack');
    messages.add(message);
  });
  await untilReady(made);
  return messages;
}

describe('a user that may only read', () => {
  beforeAll(() => rabbit.control('set_permissions', 'reader', '^$', '^$', '.*'));

  test.each(['dedicated', 'shared'] as const)('consumes what exists: %s mode (finding 2.4)', async (mode) => {
    const messages = await started(mode);
    channel.publish('evolution', 'call', Buffer.from('x'));
    channel.publish('evolution', 'chats.set', Buffer.from('y'));
    await messages.count(2);
    expect(source?.refused.map(({ code }) => code)).toContain('AMQP_403');
    expect(source?.refused.every(({ isEssential }) => !isEssential)).toBe(true);
  });
});

describe('a user that may not read one queue', () => {
  beforeAll(() => rabbit.control('set_permissions', 'reader', '.*', '.*', '^(evolution|evo\\.call)$'));

  test('consumes the others, and that one as soon as it may (findings 2.4, 2.5)', async () => {
    const messages = await started('shared');
    channel.publish('evolution', 'chats.set', Buffer.from('y'));
    channel.publish('evolution', 'call', Buffer.from('x'));
    await messages.count(1);
    await eventually(() => source?.refused.find(({ what }) => what.includes('chats.set')), 'the refusal');
    await rabbit.control('set_permissions', 'reader', '.*', '.*', '.*');
    await messages.count(2, 60_000);
    await eventually(() => source?.refused.length === 0 || undefined, 'nothing refused', 90_000);
  });
});

describe('doctor', () => {
  const user = (): string => {
    const uri = new URL(rabbit.uri);
    uri.username = 'reader';
    uri.password = 'secret';
    return uri.href;
  };
  const inspect = async (queue: string, others: Partial<InspectOptions> = {}): Promise<string[]> => {
    const findings = await inspectRabbitMq({
      uri: user(),
      frameMax: 8192,
      exchanges: [{ name: 'evolution', events: 'all' }],
      topology: { mode: 'dedicated', queue, prefixKey: 'evo' },
      ...others,
    });
    return findings
      .filter(({ check, state }) => check.startsWith('permissions') && state === 'trouble')
      .map(({ check, detail }) => `${check}: ${detail}`);
  };

  test.each<[name: string, permissions: [string, string, string], queue: string, found: RegExp[]]>([
    ['everything', ['.*', '.*', '.*'], 'relay', []],
    ['everything, before the queue is there', ['.*', '.*', '.*'], 'absent', []],
    [
      'all but read the queue',
      ['.*', '.*', '^evolution$'],
      'relay',
      [
        /^permissions of queue relay: nothing of it is consumed: the user reader needs .* read for relay .*set_permissions -p '.+' 'reader'/,
      ],
    ],
    [
      'not configure, and the queue is missing',
      ['^$', '.*', '.*'],
      'absent',
      [/^permissions of queue absent: .*cannot declare it: .* configure for absent/],
    ],
    [
      'not write',
      ['.*', '^$', '.*'],
      'relay',
      [
        /^permissions of exchange evolution: queue relay cannot be bound .* write for relay and read for evolution/,
      ],
    ],
    ['not read the exchange', ['.*', '.*', '^relay$'], 'relay', [/^permissions of exchange evolution: /]],
  ])(
    'finds what a user may not do that may do %s, with the permission and the command',
    async (_name, permissions, queue, found) => {
      await rabbit.control('set_permissions', 'reader', ...permissions);
      expect(await inspect(queue)).toEqual(found.map((each) => expect.stringMatching(each)));
    },
  );

  test('looks at shared and at listed queues, too', async () => {
    await rabbit.control('set_permissions', 'reader', '.*', '.*', '^evo');
    const shared = { topology: { mode: 'shared', queue: 'relay', prefixKey: 'evo' } } as const;
    expect(await inspect('relay', shared)).toEqual([]);
    const listed = { ...shared, queues: [{ name: 'relay', isGo: false }] };
    expect(await inspect('relay', listed)).toEqual([
      expect.stringMatching(/^permissions of queue relay: .*read for relay/),
    ]);
  });

  test('takes no message, and makes no queue', async () => {
    await rabbit.control('set_permissions', 'reader', '.*', '.*', '.*');
    await channel.assertQueue('waiting', QUORUM);
    channel.sendToQueue('waiting', Buffer.from('x'), { persistent: true });
    await eventually(
      async () => (await channel.checkQueue('waiting')).messageCount === 1 || undefined,
      'the message',
    );
    await inspect('waiting');
    await inspect('absent');
    const message = await channel.get('waiting', { noAck: true });
    expect(message === false ? undefined : message.fields.redelivered).toBe(false);
    const own = await admin.createChannel();
    own.on('error', () => {});
    await expect(own.checkQueue('absent')).rejects.toThrow(/404/);
  });
});
