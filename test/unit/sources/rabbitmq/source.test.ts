import { SILENT } from '../../../../src/observability/logging';
import type { SourceMessage } from '../../../../src/pipeline/message';
import { RabbitMqSource } from '../../../../src/sources/rabbitmq/rabbitmq-source';
import type { ConsumedExchange, TopologyOptions } from '../../../../src/sources/rabbitmq/topology';
import { FakeBroker, replyError } from '../../../support/fakes/fake-amqp';
import { untilReady } from '../../../support/harness/sources';
import { eventually, turns } from '../../../support/signals/signals';
import { nth } from '../../../support/values/items';

const sources: RabbitMqSource[] = [];
afterEach(async () => {
  for (const source of sources.splice(0)) await source.close();
});

const GLOBAL: ConsumedExchange = { name: 'global', events: 'all' };
const own = (instance: string): ConsumedExchange => ({ name: instance, instance, events: 'all' });

function setup(broker = new FakeBroker(), others: Partial<TopologyOptions> = {}, exchanges = [GLOBAL]) {
  const logged: { level: string; message: string; fields: unknown }[] = [];
  const at =
    (level: string) =>
    (message: string, fields?: unknown): void =>
      void logged.push({ level, message, fields });
  const messages: SourceMessage[] = [];
  const source = new RabbitMqSource({
    uri: 'amqp://broker',
    frameMax: 8192,
    prefetch: 100,
    maxBytes: 1_000_000,
    exchanges,
    topology: { mode: 'dedicated', queue: 'relay', prefixKey: '', reserved: ['global'], ...others },
    log: { ...SILENT, error: at('error'), warn: at('warn'), info: at('info') },
    connect: broker.connect,
  });
  sources.push(source);
  const start = (): Promise<void> => source.start((message) => void messages.push(message));
  const errors = (): unknown[] => logged.filter(({ level }) => level === 'error');
  return { broker, source, messages, logged, errors, start };
}

describe('a RabbitMQ source', () => {
  test('is made anew where the connection breaks while the broker is refusing (finding 3.3)', async () => {
    const { broker, source, start } = setup();
    // The set-up is refused, and neither that nor a goodbye is ever answered.
    broker.answer = (call) => (call === 'createChannel' || call === 'close' ? 'never' : 'ok');
    await start();
    await eventually(() => broker.models[0], 'a connection');
    await turns(20);
    broker.answer = () => 'ok';
    broker.models[0]?.lose(replyError(541));
    await untilReady(source);
    expect(broker.models).toHaveLength(2);
  });

  test('lets the bindings of an exchange go that is not wanted any more, those of the ordered queue as well', async () => {
    const broker = new FakeBroker();
    broker.hasOrderedQueue = true;
    const { source, start } = setup(broker, {}, [GLOBAL, own('loja')]);
    await start();
    await untilReady(source);
    expect(broker.count('bindQueue relay.ordered loja #')).toBe(1);
    source.dropExchange('loja');
    await eventually(
      () =>
        ['relay', 'relay.ordered'].every((queue) => broker.count(`unbindQueue ${queue} loja #`) === 1)
          ? true
          : undefined,
      'both bindings are gone',
    );
    expect(broker.count('unbindQueue relay.ordered global #')).toBe(0);
  });

  test('does not wait for a goodbye that is never answered (finding 3.3)', async () => {
    const { broker, source, start } = setup();
    await start();
    await untilReady(source);
    broker.answer = (call) => (call === 'close' ? 'never' : 'ok');
    const closing = source.close();
    await turns(20);
    broker.models[0]?.lose();
    await closing;
    expect(source.state).toEqual({ ready: false, detail: 'closed' });
  });

  test('says that events may come again where the connection ends before queues have what was acknowledged', async () => {
    const { broker, source, messages, logged, start } = setup();
    await start();
    await untilReady(source);
    broker.deliver('relay');
    nth(messages, 0).settle('ack');
    broker.answer = (call) => (call === 'consume relay' ? { closeConnection: 541 } : 'ok');
    await source.close();
    expect(logged.at(-1)).toMatchObject({ level: 'warn', fields: { code: 'AMQP_541' } });
  });

  test('stopped while it connects, it consumes nothing and gives nothing back (finding 3.15)', async () => {
    for (let pause = 0; pause < 40; pause++) {
      const { broker, source, start } = setup();
      await start();
      await turns(pause);
      await source.stopIntake();
      const before = broker.consumers.length;
      broker.deliver('relay');
      await turns(20);
      expect([before, broker.consumers.length]).toEqual([0, 0]);
      await source.close();
    }
  });

  test('opens a new channel on the same connection after a consumer_timeout, and tells it once', async () => {
    const { broker, source, messages, logged, start } = setup();
    await start();
    await untilReady(source);
    for (let time = 0; time < 3; time++) {
      nth(broker.consumers, 0).channel.refuse(replyError(406, 0, 0));
      await eventually(() => broker.consumers[0], 'a subscription');
    }
    broker.deliver('relay');
    expect([broker.models.length, messages.length, source.state.ready]).toEqual([1, 1, true]);
    expect(logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { code: 'CONSUMER_TIMEOUT' } },
    ]);
  });

  test('uses one that exists, and declares nothing it may not (finding 2.4)', async () => {
    const { broker, source, messages, start } = setup();
    broker.answer = (call) => (/^(assert|bind|unbind)/.test(call) ? { refuse: 403 } : 'ok');
    await start();
    await untilReady(source);
    broker.deliver('relay');
    expect([messages.length, broker.models.length]).toEqual([1, 1]);
    expect(source.refused).toMatchObject([{ code: 'AMQP_403', isEssential: false }]);
    expect(source.state.detail).toContain('left out');
  });

  test('what was asked for beside a refused one, and answered when it was tried alone, is looked at on every connection', async () => {
    const { broker, source, start } = setup(new FakeBroker(), {}, [GLOBAL, own('sick'), own('well')]);
    broker.answer = (call) => (/xchange sick/.test(call) ? { closeConnection: 541 } : 'ok');
    await start();
    await untilReady(source);
    const bound = (name: string): string | undefined =>
      broker.calls.find((call) => call.startsWith(`bindQueue relay ${name} `));
    for (const name of ['global', 'well']) await eventually(() => bound(name), name);
    const connections = broker.models.length;
    broker.calls.splice(0);
    for (const model of broker.models) model.lose(replyError(320));
    await eventually(() => broker.models[connections], 'the next connection');
    await untilReady(source);
    expect([bound('global'), bound('well'), bound('sick')]).toEqual([
      expect.any(String),
      expect.any(String),
      undefined,
    ]);
  });

  const whatever = [
    ['channel-level', { refuse: 406 }],
    ['no such thing', { refuse: 404 }],
    ['connection-level', { closeConnection: 541 }],
    ['of an unknown class', { refuse: 313 }],
    ["amqplib's own", { throws: new RangeError('over 255 bytes') }],
  ] as const;
  test.each(whatever)(
    'whatever is refused of one instance, %s, leaves out that one alone, and is told once (finding 2.2)',
    async (_kind, answer) => {
      const { broker, source, messages, errors, start } = setup(new FakeBroker(), {}, [
        GLOBAL,
        own('sick'),
        own('well'),
      ]);
      broker.answer = (call) => (/xchange sick/.test(call) ? answer : 'ok');
      await start();
      await eventually(() => source.refused[0], 'the refusal');
      await untilReady(source);
      // It may have been asked for beside the sick one when the connection was closed: it is tried alone then, too.
      await eventually(
        () => broker.calls.find((call) => call.startsWith('bindQueue relay well')),
        'the binding',
      );
      // A reconnection changes nothing about it.
      const connections = broker.models.length;
      for (const model of broker.models) model.lose(replyError(320));
      await eventually(() => broker.models[connections], 'the next connection');
      await untilReady(source);
      broker.deliver('relay');
      expect(messages).toHaveLength(1);
      // Ready does not wait for the bindings of instances.
      const isBound = () => broker.calls.find((call) => call.startsWith('bindQueue relay well'));
      await eventually(isBound, 'a binding of the instance that is well');
      expect(errors()).toMatchObject([{ message: 'instance left out', fields: { instance: 'sick' } }]);
    },
  );

  test('tries what was refused again, at the latest when its settings change, and says that it is well', async () => {
    const { broker, source, logged, start } = setup(new FakeBroker(), {}, [GLOBAL, own('sick')]);
    broker.answer = (call) => (/xchange sick/.test(call) ? { refuse: 406 } : 'ok');
    await start();
    await eventually(() => source.refused[0], 'the refusal');
    broker.answer = () => 'ok';
    source.consumeExchange({ ...own('sick'), events: new Set(['CALL']) });
    await eventually(() => (source.refused.length === 0 ? true : undefined), 'nothing refused');
    expect(broker.calls).toContain('bindQueue relay sick #.call');
    expect(logged.some(({ message }) => message === 'rabbitmq: no longer refused')).toBe(true);
  });

  test('one queue of an instance that is refused leaves out that queue alone (finding 2.5)', async () => {
    const instance = { ...own('shop'), events: new Set(['CALL', 'MESSAGES_UPSERT', 'CHATS_SET']) };
    const { broker, source, messages, errors, start } = setup(new FakeBroker(), { mode: 'shared' }, [
      GLOBAL,
      instance,
    ]);
    broker.answer = (call) =>
      call === 'checkQueue shop.call' || call === 'consume shop.chats.set' ? { refuse: 405 } : 'ok';
    await start();
    await untilReady(source);
    await eventually(() => (source.refused.length === 2 ? true : undefined), 'two refusals');
    const well = ['shop.messages.upsert', 'messages.upsert', 'call'];
    const consumed = (queue: string): boolean => broker.consumers.some((each) => each.queue === queue);
    await eventually(() => well.every(consumed) || undefined, 'the other queues');
    for (const queue of well) broker.deliver(queue);
    expect([messages.length, errors().length, broker.models.length]).toEqual([3, 2, 1]);
  });

  test('a queue that is gone before it can be consumed is declared anew, and that is no refusal', async () => {
    const { broker, source, messages, start } = setup();
    let isGone = true;
    broker.answer = (call) => {
      if (call === 'assertQueue relay') isGone = false;
      return isGone && /Queue relay|consume relay/.test(call) && !call.startsWith('assert')
        ? { refuse: 404 }
        : 'ok';
    };
    await start();
    await untilReady(source);
    isGone = true;
    nth(broker.models, 0).lose(replyError(320));
    await eventually(() => (isGone ? undefined : true), 'a new queue');
    await eventually(() => broker.consumers[0], 'a subscription');
    await untilReady(source);
    broker.deliver('relay');
    expect([messages.length, source.refused]).toEqual([1, []]);
  });

  test('a queue that exists is consumed whatever its arguments (finding 2.3)', async () => {
    const { broker, source, messages, start } = setup(new FakeBroker(), { mode: 'shared' });
    broker.answer = (call) => (call.startsWith('assertQueue') ? { refuse: 406 } : 'ok');
    await start();
    await untilReady(source);
    broker.deliver('messages.upsert');
    expect([messages.length, source.refused]).toEqual([1, []]);
  });

  test('an instance that is named like the global exchange takes nothing away from the others', async () => {
    const { broker, source, start } = setup(new FakeBroker(), {}, [GLOBAL]);
    await start();
    await untilReady(source);
    source.consumeExchange({ ...own('global'), events: new Set(['CALL']) });
    await eventually(() => source.refused[0], 'the refusal');
    source.dropExchange('global');
    await turns(20);
    expect(source.refused).toEqual([]);
    expect(broker.calls.filter((call) => call.startsWith('unbindQueue relay global #'))).not.toContain(
      'unbindQueue relay global #',
    );
    expect(source.state.ready).toBe(true);
  });

  test('under RabbitMQ 4 says once that our queue keeps a limit of redeliveries (finding 3.19)', async () => {
    const limited = new FakeBroker();
    limited.version = '4.0.5';
    limited.answer = (call) => (call.startsWith('assertQueue relay') ? { refuse: 406 } : 'ok');
    for (const [broker, times] of [
      [limited, 1],
      [Object.assign(new FakeBroker(), { version: '4.0.5' }), 0],
      [new FakeBroker(), 0],
    ] as const) {
      const { source, logged, start } = setup(broker);
      await start();
      await untilReady(source);
      const told = logged.filter(({ message }) => message === 'redeliveries are limited');
      expect(told).toHaveLength(times);
      if (times > 0) expect(JSON.stringify(told)).toContain('delivery-limit -1');
    }
  });

  test('what it holds is bounded over all of its connections (finding 3.5)', async () => {
    const { broker, source, messages, start } = setup();
    await start();
    for (let connection = 0; connection < 12; connection++) {
      await untilReady(source);
      for (let count = 0; count < 100; count++) broker.deliver('relay', 'x'.repeat(1000));
      nth(broker.models, connection).lose(replyError(320));
      await eventually(() => broker.models[connection + 1], 'the next connection');
    }
    expect(source.held.messages).toBeLessThanOrEqual(200);
    expect(source.held.bytes).toBeLessThanOrEqual(1_000_000);
    for (const message of messages) message.settle('release');
    expect(source.held).toEqual({ messages: 0, bytes: 0 });
  });
});
