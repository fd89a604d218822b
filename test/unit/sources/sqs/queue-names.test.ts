import fc from 'fast-check';
import { CATALOGUE } from '../../../../src/events/catalogue';
import {
  accountOfQueue,
  matchName,
  nameOfQueue,
  queuesOfAll,
  queuesOfInstance,
  readName,
} from '../../../../src/sources/sqs/queue-names';

const TEMPLATES = ['{instance}-{event}', '{instance}_{event}.fifo'];
const GLOBAL = { prefix: 'global', singleQueue: false, events: 'all' as const };

const find = (name: string, instance: string, events: 'all' | ReadonlySet<string> = 'all') =>
  queuesOfInstance(TEMPLATES, instance, events)
    .map((wanted) => matchName(name, wanted))
    .find(Boolean);

test.each([
  // As the core API publishes, and as it creates (contract A10 no. 10).
  ['loja_messages_upsert.fifo', 'messages.upsert'],
  ['loja_group-participants_update.fifo', 'group-participants.update'],
  ['loja_group_participants_update.fifo', 'group-participants.update'],
  ['loja_typebot_change-status.fifo', 'typebot.change-status'],
  ['loja_typebot_change_status.fifo', 'typebot.change-status'],
  ['loja_send_message_update.fifo', 'send.message.update'],
  ['loja_call.fifo', 'call'],
  // As the documents name them, in whatever way dots are written there.
  ['loja-messages-upsert', 'messages.upsert'],
  ['loja-messages_upsert', 'messages.upsert'],
  ['loja-MESSAGES_UPSERT', 'messages.upsert'],
])('%s holds %s of its instance', (name, routingKey) => {
  expect(find(name, 'loja')).toEqual({ routingKey, instance: 'loja' });
});

test.each([
  ['of an instance whose name begins alike', 'loja-centro-messages_upsert'],
  ['of no event', 'loja_orders.fifo'],
  ['that ends otherwise', 'loja_messages_upsert'],
  ['a dead-letter queue', 'loja_messages_upsert_dlq.fifo'],
])('a queue %s is not taken: %s', (_what, name) => {
  expect(find(name, 'loja')).toBeUndefined();
});

test('events that an instance does not want are left where they are', () => {
  expect(find('loja_call.fifo', 'loja', new Set(['MESSAGES_UPSERT']))).toBeUndefined();
  expect(find('loja_messages_upsert.fifo', 'loja', new Set(['MESSAGES_UPSERT']))).toBeDefined();
});

test('an instance whose name no queue can have has none', () => {
  expect(queuesOfInstance(TEMPLATES, 'loja do centro', 'all')).toEqual([]);
});

test('global queues: one for each event, or one for all', () => {
  const [each] = queuesOfAll(TEMPLATES, GLOBAL);
  expect(each && matchName('global_messages_upsert.fifo', each)).toEqual({ routingKey: 'messages.upsert' });
  const [single] = queuesOfAll(TEMPLATES, { ...GLOBAL, singleQueue: true });
  expect(single && matchName('global_singlequeue.fifo', single)).toEqual({ routingKey: '' });
  expect(queuesOfAll(TEMPLATES, undefined)).toEqual([]);
});

test('a queue given by its address: its name is read, the global prefix first, the longest event first', () => {
  const wanted = queuesOfAll(TEMPLATES, GLOBAL);
  const read = (name: string) => readName(name, TEMPLATES, wanted);
  expect(read('global_call.fifo')).toEqual({ routingKey: 'call' });
  expect(read('a_b_send_message_update.fifo')).toEqual({
    routingKey: 'send.message.update',
    instance: 'a_b',
  });
  expect(read('orders')).toEqual({ routingKey: '' });
});

test('whatever the instance and the event, the name that the core API makes is found again', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9_-]{1,30}$/),
      fc.constantFrom(...CATALOGUE),
      (instance, { event }) => {
        const name = `${instance}_${event.replace('.', '_').replaceAll('.', '_')}.fifo`;
        expect(find(name, instance)).toEqual({ routingKey: event, instance });
      },
    ),
  );
});

test('a name and an account are read from an address', () => {
  const url = 'https://sqs.us-east-1.amazonaws.com/123456789012/loja_call.fifo';
  expect([nameOfQueue(url), accountOfQueue(url)]).toEqual(['loja_call.fifo', '123456789012']);
  expect(accountOfQueue('http://localhost:9324/queue/loja')).toBeUndefined();
});
