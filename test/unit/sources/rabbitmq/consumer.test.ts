import { replyError } from '../../../support/fakes/fake-amqp';
import {
  type ConsumerSetup,
  closeConsumers,
  INTO,
  setUpConsumer,
} from '../../../support/harness/consumer-harness';
import { turns } from '../../../support/signals/signals';
import { nth } from '../../../support/values/items';

afterEach(closeConsumers);

describe('subscriptions', () => {
  test('changes that overlap end with exactly the queues of the last one, each once (finding 3.16)', async () => {
    const { want, consumer, subscribed, broker } = await setUpConsumer();
    want('a', 'b');
    await turns(2);
    want('b', 'c');
    want('c', 'd');
    await turns(1);
    want('d', 'e');
    await consumer.settled();
    expect(subscribed()).toEqual(['d', 'e']);
    expect(broker.count('consume d')).toBe(1);
  });

  test('a queue that was dropped while others were being subscribed stays dropped (finding 3.16)', async () => {
    const { want, consumer, subscribed } = await setUpConsumer();
    want('a');
    await consumer.settled();
    want('a', 'b');
    want('b');
    await consumer.settled();
    expect(subscribed()).toEqual(['b']);
  });

  test('another share subscribes anew, once; the same one leaves what is subscribed alone', async () => {
    const { want, consumer, broker } = await setUpConsumer();
    want('a');
    await consumer.settled();
    want('a', 'b');
    await consumer.settled();
    expect(broker.count('consume a')).toBe(1);
    consumer.want(new Set(['a', 'b']), 3);
    consumer.want(new Set(['a', 'b']), 2);
    await consumer.settled();
    expect([broker.count('consume a'), broker.count('prefetch 2')]).toEqual([2, 1]);
    expect(broker.consumers).toHaveLength(2);
  });

  test('stopped while a subscription is being made, it ends that one too (finding 3.15)', async () => {
    const { want, consumer, subscribed } = await setUpConsumer();
    want('a', 'b', 'c');
    await turns(3);
    await consumer.stopIntake();
    expect([consumer.state, subscribed()]).toEqual(['stopped', []]);
  });

  test('a queue that the broker refuses is named; so is one that amqplib cannot send', async () => {
    for (const answer of [{ refuse: 403 }, { throws: new TypeError('too long') }]) {
      const { want, broker, losses } = await setUpConsumer();
      broker.answer = (call) => (call === 'consume b' ? answer : 'ok');
      want('a', 'b', 'c');
      await turns(30);
      expect(losses).toMatchObject([{ subscribing: 'b', isQueueRefused: true, heldTooLong: false }]);
    }
  });

  test('a channel that is closed over consumer_timeout while a queue is subscribed blames no queue', async () => {
    const parts = await setUpConsumer();
    await INTO.changing(parts);
    parts.channel().refuse(replyError(406, 0, 0));
    expect(parts.losses).toMatchObject([{ isQueueRefused: false, heldTooLong: true }]);
  });

  test('a channel that the broker closes is not closed by us, which would cost the connection', async () => {
    const parts = await setUpConsumer();
    await INTO.consuming(parts);
    parts.channel().refuse(replyError(406, 0, 0));
    await turns();
    expect([parts.consumer.state, parts.session.isLost]).toEqual(['lost', false]);
  });

  test('a queue that the broker ends is told, and the others go on', async () => {
    const { want, consumer, broker, ended, messages } = await setUpConsumer();
    want('a', 'b');
    await consumer.settled();
    broker.consumers.find(({ queue }) => queue === 'a')?.receive(null);
    broker.deliver('b');
    expect([ended, consumer.state, messages.length]).toEqual([['a'], 'consuming', 1]);
  });
});

describe('messages', () => {
  test('redelivered ones say so; those of a lost channel are lost, and settling them sends nothing', async () => {
    const { want, consumer, broker, messages, channel } = await setUpConsumer();
    want('a');
    await consumer.settled();
    broker.deliver('a', 'first');
    broker.deliver('a', 'again', true);
    expect(messages.map(({ redelivered, isLost }) => [redelivered, isLost])).toEqual([
      [false, false],
      [true, false],
    ]);
    channel().refuse(replyError(406, 0, 0));
    expect(messages.map(({ isLost }) => isLost)).toEqual([true, true]);
    for (const message of messages) message.settle('ack');
    await turns();
    expect(channel().settled).toEqual([]);
  });

  test('of a lost channel count until they are settled, once (finding 3.5)', async () => {
    const { want, consumer, broker, messages, channel, window } = await setUpConsumer();
    want('a');
    await consumer.settled();
    for (let count = 0; count < 5; count++) broker.deliver('a', 'body');
    nth(messages, 0).settle('ack');
    channel().refuse(replyError(541));
    expect([window.count, window.bytes, window.prefetch]).toEqual([4, 16, 96]);
    for (const message of messages) message.settle('release');
    for (const message of messages) message.settle('ack');
    expect([window.count, window.bytes, window.prefetch]).toEqual([0, 0, 100]);
  });

  test('that come while it stops go back once, when the subscription is gone (finding 3.15)', async () => {
    const parts = await setUpConsumer();
    await INTO.stopping(parts);
    const { broker, messages, channel, consumer } = parts;
    broker.deliver('a');
    broker.deliver('a');
    await turns();
    expect([messages.length, channel().settled]).toEqual([0, []]);
    broker.answer = () => 'ok';
    await consumer.close();
    // The channel's end gives them back.
    expect(channel().settled).toEqual([]);

    const other = await setUpConsumer();
    await INTO.consuming(other);
    const stopping = other.consumer.stopIntake();
    other.broker.deliver('a');
    await stopping;
    expect(other.channel().settled).toEqual(['nack 1']);
  });

  test('that are released while it stops go back when the subscription is gone (finding 3.15)', async () => {
    const parts = await setUpConsumer();
    await INTO.consuming(parts);
    parts.broker.deliver('a');
    const stopping = parts.consumer.stopIntake();
    nth(parts.messages, 0).settle('release');
    expect(parts.channel().settled).toEqual([]);
    await stopping;
    expect(parts.channel().settled).toEqual(['nack 1']);
    expect(parts.window.count).toBe(0);
  });

  test('that do not fit wait at the broker until there is room, and do not go round in circles', async () => {
    const { consumer, broker, messages, channel, window } = await setUpConsumer({ maxBytes: 10 });
    consumer.want(new Set(['a']), 1);
    await consumer.settled();
    broker.deliver('a', 'x'.repeat(8));
    broker.deliver('a', 'y'.repeat(8));
    await turns();
    expect([messages.length, channel().settled, window.bytes]).toEqual([1, [], 8]);
    nth(messages, 0).settle('ack');
    await turns();
    expect(channel().settled).toContain('nack 2');
  });

  test('that go back are noticed, however they do: another worker may get what this one had', async () => {
    const { consumer, broker, messages, channel, window } = await setUpConsumer({ maxBytes: 10 });
    consumer.want(new Set(['a']), 1);
    await consumer.settled();
    broker.deliver('a', 'x'.repeat(8));
    expect([window.returned, window.isHoldingBack]).toEqual([0, false]);
    // One that waits for room may go back, and does when there is some.
    broker.deliver('a', 'y'.repeat(8));
    expect([window.returned, window.isHoldingBack]).toEqual([0, true]);
    nth(messages, 0).settle('ack');
    expect([window.returned, window.isHoldingBack]).toEqual([1, false]);
    broker.deliver('a');
    nth(messages, 1).settle('release');
    expect(window.returned).toBe(2);
    channel().refuse(replyError(541));
    expect(window.returned).toBe(3);
  });
});

describe('the end of a channel', () => {
  /** The calls that were made by its close. */
  async function callsOfClose({ broker, consumer }: ConsumerSetup): Promise<readonly string[]> {
    const before = broker.calls.length;
    await consumer.close();
    return broker.calls.slice(before);
  }

  async function stoppedWithOneOfA({ wanted = [['a', 'b']] } = {}): Promise<ConsumerSetup> {
    const parts = await setUpConsumer();
    for (const queues of wanted) {
      parts.want(...queues);
      await parts.consumer.settled();
    }
    parts.broker.deliver('a');
    await parts.consumer.stopIntake();
    return parts;
  }

  test('waits until queues have what was acknowledged, as it would come again; others are not asked', async () => {
    const parts = await stoppedWithOneOfA();
    nth(parts.messages, 0).settle('ack');
    expect(await callsOfClose(parts)).toEqual(['prefetch 1', 'consume a', 'cancel a', 'prefetch 1']);
    expect(parts.channel().settled).toEqual(['ack 1 and before']);
  });

  test('waits for nothing where nothing was acknowledged', async () => {
    const parts = await stoppedWithOneOfA();
    nth(parts.messages, 0).settle('release');
    expect(await callsOfClose(parts)).toEqual([]);
  });

  test('does not ask a queue that the broker ended: it would close the channel, and forget what others are to take', async () => {
    const parts = await setUpConsumer();
    parts.want('a', 'b');
    await parts.consumer.settled();
    for (const queue of ['a', 'b']) parts.broker.deliver(queue);
    for (const message of parts.messages) message.settle('ack');
    parts.broker.consumers.find(({ queue }) => queue === 'a')?.receive(null);
    await parts.consumer.stopIntake();
    expect(await callsOfClose(parts)).toEqual(['prefetch 1', 'consume b', 'cancel b', 'prefetch 1']);
  });

  test('asks no queue that it left long before, or whose messages were acknowledged after its end: it may be gone', async () => {
    const endings: readonly ((parts: ConsumerSetup) => void)[] = [
      ({ want }) => want('b'),
      ({ broker }) => broker.consumers.find(({ queue }) => queue === 'a')?.receive(null),
    ];
    for (const end of endings) {
      const parts = await setUpConsumer();
      parts.want('a', 'b');
      await parts.consumer.settled();
      for (const queue of ['a', 'b', 'a']) parts.broker.deliver(queue);
      nth(parts.messages, 0).settle('ack');
      end(parts);
      await parts.consumer.settled();
      for (const message of parts.messages.slice(1)) message.settle('ack');
      await parts.consumer.stopIntake();
      expect(await callsOfClose(parts)).toEqual(['prefetch 1', 'consume b', 'cancel b', 'prefetch 1']);
    }
  });

  test('asks a queue of which it took a message after it had left it', async () => {
    const parts = await stoppedWithOneOfA({ wanted: [['a', 'b'], ['b'], ['a', 'b']] });
    nth(parts.messages, 0).settle('ack');
    expect(await callsOfClose(parts)).toEqual(['prefetch 1', 'consume a', 'cancel a', 'prefetch 1']);
  });

  test.each([
    ['3.13.7', 'consume'],
    ['4.1.0', 'checkQueue'],
  ])(
    'asks queues that do not refuse: RabbitMQ %s forgets what others are to take where it refuses one',
    async (version, question) => {
      const parts = await setUpConsumer({ version });
      parts.want('a', 'b', 'c', 'd', 'e');
      await parts.consumer.settled();
      for (const queue of ['a', 'b', 'c', 'd', 'e']) parts.broker.deliver(queue);
      for (const message of parts.messages) message.settle('ack');
      await parts.consumer.stopIntake();
      const refused = [`${question} b`, `${question} e`];
      parts.broker.answer = (call) => (refused.includes(call) ? { refuse: 404 } : 'ok');
      const calls = await callsOfClose(parts);
      const last = calls.slice(calls.lastIndexOf('createChannel') + 1);
      expect(last.slice(-8).sort()).toEqual(
        [
          'cancel a',
          'cancel c',
          'cancel d',
          'consume a',
          'consume c',
          'consume d',
          'prefetch 1',
          'prefetch 1',
        ].sort(),
      );
      expect([parts.consumer.state, parts.session.isLost]).toEqual(['closed', false]);
    },
  );

  test('asks all queues where no other channel can be had', async () => {
    const parts = await setUpConsumer();
    parts.want('a', 'b');
    await parts.consumer.settled();
    for (const queue of ['a', 'b']) parts.broker.deliver(queue);
    for (const message of parts.messages) message.settle('ack');
    await parts.consumer.stopIntake();
    parts.broker.answer = (call) =>
      call === 'createChannel' ? { throws: new Error('No channels left to allocate') } : 'ok';
    expect(await callsOfClose(parts)).toEqual([
      ...['createChannel', 'prefetch 1', 'consume a', 'consume b', 'cancel a', 'cancel b', 'prefetch 1'],
    ]);
  });

  test('comes all the same where a queue is gone, or the broker lets nobody subscribe', async () => {
    for (const refuse of [404, 403]) {
      const parts = await stoppedWithOneOfA();
      nth(parts.messages, 0).settle('ack');
      parts.broker.answer = (call) => (call === 'consume a' ? { refuse } : 'ok');
      await parts.consumer.close();
      expect([parts.consumer.state, parts.session.isLost]).toEqual(['closed', false]);
    }
  });
});
