import type { SourceMessage } from '../../src/pipeline/message';
import type { RabbitMqSource } from '../../src/sources/rabbitmq/rabbitmq-source';
import { RabbitHarness } from '../support/harness/rabbit-harness';
import { untilReady } from '../support/harness/sources';
import { eventually, Happenings, within } from '../support/signals/signals';

/** Bytes from the broker up to the first message: about 700 for the connection, 30 for each step of the set-up. */
const SET_UP_BYTES = [1, 300, 500, 540, 560, 580, 600, 620, 640, 660, 680, 700, 720, 740, 760, 800, 840, 900];

let harness: RabbitHarness;
beforeEach(async () => {
  harness = await RabbitHarness.open();
});
afterEach(() => harness.close());

async function startedOn(source: RabbitMqSource): Promise<Happenings<SourceMessage>> {
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => messages.add(message));
  return messages;
}

const logged = (message: string) => harness.logged.all.filter(([text]) => text === message);

describe('a RabbitMQ source recovers', () => {
  test('from a connection that is cut at any moment of its set-up', async () => {
    harness.proxy.cutAfter = [...SET_UP_BYTES];
    const sources = SET_UP_BYTES.map(() => harness.create({ maxMessages: 1 }));
    const yielded = await Promise.all(sources.map(startedOn));
    await Promise.all(sources.map(untilReady));
    for (const _ of sources) await harness.publish('fair share');
    // One message each, as none is settled: every one of them consumes.
    await Promise.all(yielded.map((messages) => messages.count(1)));
  });

  test('from a connection that ends in the same packet as the subscription is confirmed', async () => {
    harness.proxy.closeWithSubscription = 1;
    const source = harness.create();
    const messages = await startedOn(source);
    await harness.proxy.connected.count(2);
    await untilReady(source);
    await harness.publish('after');
    await messages.count(1);
  });

  test('from a queue that is deleted while it is consumed: it is declared and bound again', async () => {
    const source = harness.create();
    const messages = await startedOn(source);
    await untilReady(source);
    await harness.channel.deleteQueue(harness.queue);
    await eventually(() => !source.state.ready || undefined, 'the loss');
    await untilReady(source);
    await harness.publish('after');
    await messages.count(1);
  });

  test('from a queue that somebody deletes and declares again without bindings: it is bound before it counts as ready (kind 3)', async () => {
    const source = harness.create({}, { recheckMs: 3_600_000 });
    const messages = await startedOn(source);
    await untilReady(source);
    await harness.channel.deleteQueue(harness.queue);
    await harness.channel.assertQueue(harness.queue, {
      durable: true,
      arguments: { 'x-queue-type': 'classic' },
    });
    await eventually(() => !source.state.ready || undefined, 'the loss');
    await untilReady(source);
    await harness.publish('after');
    await messages.count(1);
  });

  test('as soon as what the broker refused is put right, and says until then what is wrong', async () => {
    await harness.channel.deleteExchange(harness.exchange);
    await harness.declareExchange(harness.exchange, 'fanout');
    const source = harness.create();
    const messages = await startedOn(source);
    const [, fields] = await eventually(
      () => logged('rabbitmq refuses a queue or an exchange')[0],
      'the refusal',
    );
    expect(fields?.['code']).toBe('AMQP_406');
    expect(fields?.['error']).toContain(harness.exchange);
    await eventually(() => source.state.detail.includes('AMQP_406') || undefined, 'what is wrong');
    expect(source.state.ready).toBe(false);
    await harness.channel.deleteExchange(harness.exchange);
    await untilReady(source);
    await harness.publish('after');
    await messages.count(1);
  });

  test('over and over, and closes at any moment of its set-up without holding or yielding anything', async () => {
    const first = harness.create();
    await startedOn(first);
    await untilReady(first);
    await first.close();
    for (let number = 0; number < 5; number++) await harness.publish(`message ${number}`);
    for (const bytes of SET_UP_BYTES) {
      const source = harness.create();
      const reached = new Promise<void>((resolve) => {
        harness.proxy.onBytes = (passed) => passed >= bytes && resolve();
      });
      const messages = await startedOn(source);
      await reached;
      await source.close();
      const before = messages.all.length;
      await eventually(
        async () => ((await harness.waiting()) === 5 ? true : undefined),
        `5 after ${bytes} bytes`,
      );
      expect(messages.all.length).toBe(before);
    }
  });

  test.each(['depths', 'stopIntake', 'close'] as const)(
    'and %s ends, when the connection goes at any moment of it',
    async (call) => {
      for (const frames of [1, 2, 3]) {
        const source = harness.create();
        await startedOn(source);
        await untilReady(source);
        let left = frames;
        harness.proxy.onBytes = () => --left === 0 && harness.proxy.cut();
        await within(Promise.resolve(source[call]()), 15_000, () => `${call}, cut at frame ${frames}`);
        harness.proxy.onBytes = () => {};
        await within(source.close(), 15_000, () => `close after ${call}, cut at frame ${frames}`);
      }
    },
  );

  test('and logs neither user nor password', async () => {
    const uri = new URL(harness.proxy.uri);
    uri.username = 'guest';
    uri.password = 's3cret';
    const source = harness.create({}, { uri: uri.href });
    await startedOn(source);
    await eventually(() => logged('rabbitmq unavailable')[0], 'the refusal');
    expect(JSON.stringify([harness.logged.all, source.state])).not.toContain('s3cret');
  });
});
