import { type Channel, type ChannelModel, connect } from 'amqplib';
import { SILENT } from '../../src/observability/logging';
import type { SourceMessage } from '../../src/pipeline/message';
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
