import fc from 'fast-check';
import { CATALOGUE } from '../../../../src/events/catalogue';
import {
  accountOfQueue,
  InstanceNames,
  isQueueName,
  nameOfQueue,
} from '../../../../src/sources/sqs/queue-names';
import { WantedQueues } from '../../../../src/sources/sqs/wanted-queues';

const TEMPLATES = ['{instance}-{event}', '{instance}_{event}.fifo'];
const GLOBAL = { prefix: 'global', singleQueue: false, events: 'all' as const };

const wantedOf = (instance: string, events: 'all' | ReadonlySet<string> = 'all'): WantedQueues => {
  const wanted = new WantedQueues({ templates: TEMPLATES, global: undefined });
  wanted.want(instance, events);
  return wanted;
};

const find = (name: string, instance: string, events: 'all' | ReadonlySet<string> = 'all') =>
  wantedOf(instance, events).match(name);

test.each([
  // As the core API publishes, and as it creates (docs/core-api.md#other-transports).
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

describe('an instance whose name no queue can have (findings 9.7 and 9.8)', () => {
  test.each([
    ['', false],
    ['loja do centro', false],
    ['loja.centro', false],
    ['日本', false],
    ['$&', false],
    ['\ud800', false],
    ['{event}', false],
    ['x'.repeat(100_000), false],
    // With the shortest event, `_`, and `.fifo`: 80 characters, and 81.
    ['x'.repeat(75), true],
    ['x'.repeat(76), false],
    ['__proto__', true],
    ['constructor', true],
  ])('%j: %p', (instance, isPossible) => {
    const wanted = new WantedQueues({ templates: ['{instance}_{event}'], global: undefined });
    expect(wanted.want(instance, 'all')).toBe(isPossible);
    expect(wanted.prefixes().every((prefix) => prefix.length <= 80)).toBe(true);
    expect(wanted.isEmpty).toBe(!isPossible);
    expect([wanted.drop(instance), wanted.drop('constructor')]).toEqual([isPossible, false]);
  });

  test('leaves out the templates alone that make it too long', () => {
    const names = new InstanceNames(TEMPLATES);
    const instance = 'x'.repeat(73);
    expect(names.prefixesOf(instance)).toEqual([`${instance}-`]);
  });

  test('a name counts with its suffix', () => {
    expect(
      [`${'x'.repeat(75)}.fifo`, `${'x'.repeat(76)}.fifo`, 'x'.repeat(80), 'a.b'].map(isQueueName),
    ).toEqual([true, false, true, false]);
  });
});

test('prefixes: each its own while they are few, one for all when they are many', () => {
  const wanted = new WantedQueues({ templates: ['{instance}_{event}'], global: GLOBAL });
  for (let n = 0; n < 19; n++) wanted.want(`shop-${n}`, 'all');
  expect(wanted.prefixes()).toHaveLength(20);
  wanted.want('shop-19', 'all');
  expect(wanted.prefixes()).toEqual(['']);
  const alike = new WantedQueues({ templates: ['{instance}_{event}'], global: undefined });
  for (let n = 0; n < 100; n++) alike.want(`shop-${n}`, 'all');
  expect(alike.prefixes()).toEqual(['shop-']);
});

test('a template may name the event first', () => {
  const wanted = new WantedQueues({ templates: ['evo-{event}--{instance}-x'], global: undefined });
  wanted.want('loja', 'all');
  expect(wanted.match('evo-messages_upsert--loja-x')).toEqual({
    routingKey: 'messages.upsert',
    instance: 'loja',
  });
  expect(
    ['evo-messages_upsert--lojo-x', 'evo-messages_upsert-loja-x'].map((name) => wanted.match(name)),
  ).toEqual([undefined, undefined]);
  expect(wanted.prefixes()).toEqual(['evo-']);
});

test('global queues: one for each event, or one for all', () => {
  const each = new WantedQueues({ templates: TEMPLATES, global: GLOBAL });
  expect(each.match('global_messages_upsert.fifo')).toEqual({ routingKey: 'messages.upsert' });
  const single = new WantedQueues({ templates: TEMPLATES, global: { ...GLOBAL, singleQueue: true } });
  expect(single.match('global_singlequeue.fifo')).toEqual({ routingKey: '' });
  expect(new WantedQueues({ templates: TEMPLATES, global: undefined }).isEmpty).toBe(true);
});

test('a queue given by its address: its name is read, the global prefix first, the longest event first', () => {
  const wanted = new WantedQueues({ templates: TEMPLATES, global: GLOBAL });
  const read = (name: string) => wanted.read(name);
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
