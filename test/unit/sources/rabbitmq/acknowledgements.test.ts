import { EventEmitter } from 'node:events';
import type { Channel, ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import type { Settlement } from '../../../../src/pipeline/message';
import { Acknowledgements } from '../../../../src/sources/rabbitmq/acknowledgements';
import { turns } from '../../../support/signals/signals';
import { nth } from '../../../support/values/items';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** What a broker makes of the frames: it closes the channel where a tag is settled twice or was never given. */
class FakeChannel extends EventEmitter {
  readonly frames: string[] = [];
  readonly outstanding = new Set<number>();
  readonly acknowledged = new Set<number>();
  readonly released = new Set<number>();

  ack({ fields: { deliveryTag } }: ConsumeMessage, multiple: boolean): void {
    this.frames.push(`ack ${deliveryTag}${multiple ? ' and before' : ''}`);
    this.take(deliveryTag, this.acknowledged);
    if (multiple)
      for (const tag of [...this.outstanding]) if (tag < deliveryTag) this.take(tag, this.acknowledged);
  }

  nack({ fields: { deliveryTag } }: ConsumeMessage, multiple: boolean, requeue: boolean): void {
    this.frames.push(`nack ${deliveryTag}`);
    if (multiple || !requeue) throw new Error('a released message must come again, alone');
    this.take(deliveryTag, this.released);
  }

  private take(tag: number, into: Set<number>): void {
    if (!this.outstanding.delete(tag)) throw new Error(`PRECONDITION_FAILED - unknown delivery tag ${tag}`);
    into.add(tag);
  }
}

function setup(firstTag = 1) {
  const channel = new FakeChannel();
  const acknowledgements = new Acknowledgements(channel as unknown as Channel);
  let tag = firstTag;
  const hold = (): ConsumeMessage => {
    const message = { fields: { deliveryTag: tag++ } } as ConsumeMessage;
    channel.outstanding.add(message.fields.deliveryTag);
    acknowledgements.hold(message, 'relay');
    return message;
  };
  const holdMany = (count: number): ConsumeMessage[] => Array.from({ length: count }, hold);
  return { channel, acknowledgements, hold, holdMany };
}

interface Step {
  readonly kind: 'hold' | 'settle' | 'turn' | 'pause' | 'flush';
  readonly index: number;
  readonly settlement: Settlement;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('hold', 'hold', 'settle', 'settle', 'settle', 'turn', 'pause', 'flush'),
  index: fc.nat(),
  settlement: fc.constantFrom('ack', 'ack', 'ack', 'release'),
});

describe('acknowledgements', () => {
  test('what was settled in one turn, from the oldest on, is one frame', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    for (const message of holdMany(100)) acknowledgements.settle(message, 'ack');
    expect(channel.frames).toEqual([]);
    await turns();
    expect(channel.frames).toEqual(['ack 100 and before']);
    expect([acknowledgements.count, channel.acknowledged.size]).toEqual([0, 100]);
  });

  test('what is little beside what is held waits a moment for more', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    const messages = holdMany(100);
    for (const message of messages.slice(0, 5)) acknowledgements.settle(message, 'ack');
    await turns();
    expect(channel.frames).toEqual([]);
    await pass(2);
    expect(channel.frames).toEqual(['ack 5 and before']);
    for (const message of messages.slice(5, 30)) acknowledgements.settle(message, 'ack');
    await turns();
    expect(channel.frames).toEqual(['ack 5 and before', 'ack 30 and before']);
  });

  test('what overtook a message that is still held goes alone, a moment later', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    const messages = holdMany(3);
    acknowledgements.settle(nth(messages, 1), 'ack');
    await turns();
    expect(channel.frames).toEqual([]);
    await pass(20);
    expect(channel.frames).toEqual(['ack 2']);
    acknowledgements.settle(nth(messages, 0), 'ack');
    acknowledgements.settle(nth(messages, 2), 'ack');
    await turns();
    expect(channel.frames).toEqual(['ack 2', 'ack 3 and before']);
  });

  test('what overtook a message that is settled right after goes along with it', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    const messages = holdMany(2);
    acknowledgements.settle(nth(messages, 1), 'ack');
    await turns();
    await pass(5);
    acknowledgements.settle(nth(messages, 0), 'ack');
    await turns();
    await pass(100);
    expect(channel.frames).toEqual(['ack 2 and before']);
  });

  test('a release gives exactly that message back, at once', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    const messages = holdMany(3);
    acknowledgements.settle(nth(messages, 1), 'release');
    expect(channel.frames).toEqual(['nack 2']);
    acknowledgements.settle(nth(messages, 0), 'ack');
    acknowledgements.settle(nth(messages, 2), 'ack');
    await turns();
    expect([...channel.acknowledged]).toEqual([3, 1]);
    expect([...channel.released]).toEqual([2]);
  });

  test('the first settlement wins', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    const messages = holdMany(2);
    acknowledgements.settle(nth(messages, 0), 'ack');
    acknowledgements.settle(nth(messages, 0), 'release');
    acknowledgements.settle(nth(messages, 1), 'release');
    acknowledgements.settle(nth(messages, 1), 'ack');
    await turns();
    await pass(100);
    expect(channel.frames).toEqual(['nack 2', 'ack 1 and before']);
  });

  test('flushAll sends everything that waits, in any order, at once', () => {
    const { channel, acknowledgements, holdMany } = setup();
    const messages = holdMany(5);
    for (const index of [4, 1, 0]) acknowledgements.settle(nth(messages, index), 'ack');
    acknowledgements.flushAll();
    expect([...channel.acknowledged].sort()).toEqual([1, 2, 5]);
    expect([...channel.outstanding]).toEqual([3, 4]);
    acknowledgements.close();
  });

  test('nothing is sent after close, and no timer stays', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    const messages = holdMany(3);
    acknowledgements.settle(nth(messages, 1), 'ack');
    await turns();
    acknowledgements.settle(nth(messages, 2), 'ack');
    acknowledgements.close();
    acknowledgements.settle(nth(messages, 0), 'ack');
    acknowledgements.settle(nth(messages, 0), 'release');
    acknowledgements.flushAll();
    await turns();
    await pass(1000);
    expect(channel.frames).toEqual([]);
    expect([acknowledgements.count, jest.getTimerCount()]).toEqual([0, 0]);
  });

  test('in any order of events every settled message is told once, and no held one is told', async () => {
    const anyFirst = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 120 }), anyFirst, async (steps, first) => {
        const { channel, acknowledgements, hold } = setup(first);
        const held: ConsumeMessage[] = [];
        const expected = { ack: new Set<number>(), release: new Set<number>() };
        const play = {
          hold: () => held.push(hold()),
          turn: () => turns(1),
          pause: () => pass(15),
          flush: () => acknowledgements.flushAll(),
          settle: ({ index, settlement }: Step) => {
            for (const message of held.splice(index % (held.length + 1), 1)) {
              acknowledgements.settle(message, settlement);
              expected[settlement].add(message.fields.deliveryTag);
            }
          },
        };
        for (const step of steps) {
          await play[step.kind](step);
          expect(held.every(({ fields }) => channel.outstanding.has(fields.deliveryTag))).toBe(true);
        }
        await turns(1);
        await pass(50);
        expect(channel.acknowledged).toEqual(expected.ack);
        expect(channel.released).toEqual(expected.release);
        expect(acknowledgements.count).toBe(held.length);
        acknowledgements.close();
      }),
      { numRuns: 200 },
    );
  });

  test('thousands of messages, some held for long, are told once each', async () => {
    const { channel, acknowledgements, holdMany } = setup();
    for (let round = 0; round < 20; round++) {
      const messages = holdMany(300);
      for (const [index, message] of messages.entries()) {
        if (index !== 7 || round % 5 === 4)
          acknowledgements.settle(message, index % 50 === 3 ? 'release' : 'ack');
      }
      await turns(1);
      await pass(15);
    }
    expect(acknowledgements.count).toBe(16);
    expect(channel.outstanding.size).toBe(16);
    expect(channel.acknowledged.size + channel.released.size).toBe(6000 - 16);
    acknowledgements.close();
  });
});
