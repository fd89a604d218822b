import type { SourceMessage } from '../../src/pipeline/message';
import type { Source } from '../../src/sources/source';
import { texts, untilReady } from '../support/harness/sources';
import { eventually, Happenings, within } from '../support/signals/signals';
import { nth } from '../support/values/items';

/** What the suite needs of a kind of source. All sources of one harness take from the same place. */
export interface SourceHarness {
  create(limits?: { readonly maxMessages?: number; readonly maxBytes?: number }): Source;
  /** Resolves once the broker has it. */
  publish(body: Buffer): Promise<void>;
  /** Bodies of every kind that the broker carries. */
  readonly bodies: readonly Buffer[];
  /** Bytes of the largest body that the broker carries, within reason. */
  readonly largestBody: number;
  /** What makes the broker keep a message for the one who holds it. */
  readonly holding: Holding;
  /** Messages at the broker that nobody holds. */
  waiting(): Promise<number>;
  /** The broker cannot be reached, and open connections are cut. */
  goOffline(): Promise<void>;
  goOnline(): Promise<void>;
  /** The broker ends every connection in good order. */
  closeConnections(): void;
  /** Ends what `create` made, and removes what lies at the broker. */
  close(): Promise<void>;
}

/**
 * A message is held for as long as a connection lasts: what was held then comes again. Or it is held by a lease, which
 * outlasts connections: `left` counts messages whether they are held or not.
 */
export type Holding =
  | { readonly by: 'connection' }
  | { readonly by: 'lease'; readonly left: () => Promise<number> };

/** What every source does, whatever its kind. */
export function sourceSuite(kind: string, open: () => Promise<SourceHarness>): void {
  describe(`every source: ${kind}`, () => {
    let harness: SourceHarness;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness.close());

    /** A source that has begun to yield, and what it yields. */
    const started = async (
      limits?: { maxMessages?: number; maxBytes?: number },
      source = harness.create(limits),
    ) => {
      const messages = new Happenings<SourceMessage>();
      await source.start((message) => messages.add(message));
      await untilReady(source);
      return { source, messages };
    };
    const untilWaiting = (count: number): Promise<true> =>
      eventually(
        async () => ((await harness.waiting()) === count ? true : undefined),
        `${count} messages waiting`,
      );
    const publishMany = async (
      count: number,
      make = (n: number) => Buffer.from(`message ${n}`),
    ): Promise<void> => {
      await Promise.all(Array.from({ length: count }, (_, number) => harness.publish(make(number))));
    };

    describe('messages', () => {
      test('are yielded byte for byte, of any size, with their origin', async () => {
        const { messages } = await started();
        for (const [index, body] of harness.bodies.entries()) {
          await harness.publish(body);
          await messages.count(index + 1);
          expect(nth(messages.all, index).body.equals(body)).toBe(true);
        }
        expect(nth(messages.all, 0).origin.routingKey).toBe('messages.upsert');
      });

      test('that were published before the start are yielded too', async () => {
        const first = await started();
        await first.source.close();
        await publishMany(5);
        const { messages } = await started();
        expect((await messages.count(5)).map(({ body }) => body.toString()).sort()).toEqual(
          [0, 1, 2, 3, 4].map((n) => `message ${n}`),
        );
      });

      test('are held by the broker until they are settled; acknowledged ones are gone for good', async () => {
        const { source, messages } = await started();
        await publishMany(20);
        await messages.count(20);
        for (const message of messages.all.slice(0, 15)) message.settle('ack');
        await source.close();
        await untilWaiting(5);
      });

      test('that are released come again', async () => {
        const { messages } = await started();
        await harness.publish(Buffer.from('again'));
        await messages.count(1);
        nth(messages.all, 0).settle('release');
        await messages.count(2);
        expect(texts(messages)).toEqual(['again', 'again']);
        nth(messages.all, 1).settle('ack');
      });

      test('are settled once: the first call wins, later ones do nothing', async () => {
        const { source, messages } = await started();
        await publishMany(2);
        await messages.count(2);
        const [acknowledged, released] = [nth(messages.all, 0), nth(messages.all, 1)];
        for (const settlement of ['ack', 'release', 'ack'] as const) acknowledged.settle(settlement);
        for (const settlement of ['release', 'ack', 'release'] as const) released.settle(settlement);
        await messages.count(3);
        nth(messages.all, 2).settle('ack');
        await harness.publish(Buffer.from('after'));
        await messages.count(4);
        expect(texts(messages).slice(2)).toEqual([released.body.toString(), 'after']);
        nth(messages.all, 3).settle('ack');
        await source.close();
        await untilWaiting(0);
      });

      test('that nobody settled come to a second consumer when the first one closes', async () => {
        const first = await started();
        await publishMany(3);
        await first.messages.count(3);
        const second = await started();
        await first.source.close();
        expect((await second.messages.count(3)).map(({ body }) => body.toString()).sort()).toEqual(
          [0, 1, 2].map((n) => `message ${n}`),
        );
      });

      test('are shared among consumers, each to one of them', async () => {
        const consumers = [await started(), await started()];
        await publishMany(100);
        const seen = (): string[] => consumers.flatMap(({ messages }) => texts(messages));
        await eventually(() => (seen().length >= 100 ? true : undefined), 'all messages');
        expect(new Set(seen()).size).toBe(100);
        expect(consumers.map(({ messages }) => messages.all.length > 0)).toEqual([true, true]);
      });
    });

    describe('what is held', () => {
      test('is bounded in count', async () => {
        const { messages } = await started({ maxMessages: 10 });
        await publishMany(50);
        await messages.count(10);
        await untilWaiting(40);
        expect(messages.all).toHaveLength(10);
        for (const message of messages.all.slice(0, 4)) message.settle('ack');
        await messages.count(14);
        await untilWaiting(36);
        expect(messages.all).toHaveLength(14);
      });

      test('is bounded in bytes, and everything still comes through', async () => {
        const maxBytes = 1_000_000;
        const source = harness.create({ maxMessages: 100, maxBytes });
        const held: SourceMessage[] = [];
        const done = new Set<string>();
        let most = 0;
        let settling = false;
        const settleOldest = (): void => {
          const message = held.shift();
          if (message === undefined) return;
          done.add(message.body.toString('latin1', 0, 10));
          message.settle('ack');
        };
        await source.start((message) => {
          held.push(message);
          const sum = held.reduce((bytes, { body }) => bytes + body.length, 0);
          if (held.length > 1) most = Math.max(most, sum);
          if (settling) settleOldest();
        });
        await untilReady(source);
        const count = 30;
        await publishMany(count, (n) => Buffer.from(`${n}`.padEnd(200_010, 'x')));
        await eventually(async () => (held.length > 1 ? true : undefined), 'some messages held');
        settling = true;
        await eventually(() => {
          settleOldest();
          return done.size === count ? true : undefined;
        }, 'every message');
        expect(most).toBeLessThanOrEqual(maxBytes);
      });

      test('may be one message alone that is larger than the bound', async () => {
        const { messages } = await started({ maxBytes: Math.floor(harness.largestBody / 2.5) });
        await harness.publish(Buffer.alloc(harness.largestBody, 'x'));
        await messages.count(1);
        nth(messages.all, 0).settle('ack');
      });
    });

    describe('start and stop', () => {
      test('after stopIntake nothing more is yielded, and what is held can still be settled', async () => {
        const { source, messages } = await started();
        await publishMany(2);
        await messages.count(2);
        await source.stopIntake();
        expect(source.state.ready).toBe(false);
        await harness.publish(Buffer.from('late'));
        await untilWaiting(1);
        expect(messages.all).toHaveLength(2);
        for (const message of messages.all) message.settle('ack');
        await source.close();
        await untilWaiting(1);
      });

      test('started twice, also at the same moment, it yields each message once', async () => {
        const source = harness.create();
        const messages = new Happenings<SourceMessage>();
        const start = (): Promise<void> => source.start((message) => messages.add(message));
        await Promise.all([start(), start()]);
        await start();
        await untilReady(source);
        await publishMany(20);
        await messages.count(20);
        expect(new Set(texts(messages)).size).toBe(20);
        await source.close();
        await untilWaiting(20);
      });

      test('stopped without a start, or twice, it does nothing', async () => {
        const never = harness.create();
        await never.stopIntake();
        await never.close();
        await never.close();
        const { source } = await started();
        await Promise.all([source.stopIntake(), source.stopIntake()]);
        await Promise.all([source.close(), source.close()]);
        await source.stopIntake();
        expect(source.state.ready).toBe(false);
      });

      test('closed while it is starting, it holds nothing and yields nothing any more', async () => {
        const first = await started();
        await first.source.close();
        await publishMany(5);
        const source = harness.create();
        let yielded = 0;
        const starting = source.start(() => yielded++);
        await source.close();
        const yieldedBefore = yielded;
        await starting;
        await untilWaiting(5);
        expect(yielded).toBe(yieldedBefore);
        expect(source.state.ready).toBe(false);
      });
    });

    describe('a broker that comes and goes', () => {
      test('may start later: the source waits for it, says so, and then yields', async () => {
        await harness.goOffline();
        const source = harness.create();
        const messages = new Happenings<SourceMessage>();
        await source.start((message) => messages.add(message));
        expect(source.state.ready).toBe(false);
        expect(source.state.detail).toMatch(/./);
        await harness.goOnline();
        await untilReady(source);
        await harness.publish(Buffer.from('late'));
        await messages.count(1);
      });

      test('may never start: the source can be closed all the same', async () => {
        await harness.goOffline();
        const source = harness.create();
        await source.start(() => {});
        await within(source.close(), 10_000, () => 'close without a broker');
      });

      const interruptions: readonly [string, () => void | Promise<void>][] = [
        ['closed the connections in good order', () => harness.closeConnections()],
        ['was cut off', () => harness.goOffline()],
      ];
      test.each(interruptions)(
        '%s: the source comes back by itself, and no message is lost',
        async (_what, interrupt) => {
          const { source, messages } = await started();
          await harness.publish(Buffer.from('held'));
          await messages.count(1);
          await interrupt();
          await harness.goOnline();
          const again = harness.holding.by === 'connection' ? ['held'] : [];
          await messages.count(1 + again.length);
          await harness.publish(Buffer.from('fresh'));
          await messages.count(2 + again.length);
          expect(texts(messages)).toEqual(['held', ...again, 'fresh']);
          await untilReady(source);
        },
      );

      test('what is settled while it is away counts where leases hold messages, and nowhere else', async () => {
        const { source, messages } = await started();
        await publishMany(3);
        await messages.count(3);
        await harness.goOffline();
        const { holding } = harness;
        const settle = (): void => {
          for (const message of messages.all.slice(0, 3)) message.settle('ack');
        };
        if (holding.by === 'lease') settle();
        await harness.goOnline();
        if (holding.by === 'lease') {
          await eventually(async () => ((await holding.left()) === 0 ? true : undefined), 'nothing left');
          expect(messages.all).toHaveLength(3);
          return;
        }
        await messages.count(6);
        settle();
        await source.close();
        await untilWaiting(3);
      });
    });
  });
}
