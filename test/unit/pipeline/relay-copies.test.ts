import type { EventId } from '../../../src/events/event-id';
import type { Deduplication } from '../../../src/pipeline/deduplication';
import type { Outcome } from '../../../src/pipeline/delivery';
import { DELIVERED, FAILED, FakeDestination } from '../../support/harness/pipeline-harness';
import { relayHarness as setup } from '../../support/harness/relay-harness';
import { deferred, turns } from '../../support/signals/signals';
import { eventBody } from '../../support/values/events';
import { nth } from '../../support/values/items';

describe('copies of an event', () => {
  /** Answers as told, and writes down what it is told. */
  class FakeDeduplication implements Deduplication {
    readonly told: string[] = [];
    constructor(private readonly answer: () => Promise<'fresh' | 'seen'>) {}
    claim(): Promise<'fresh' | 'seen'> {
      return this.answer();
    }
    done(): void {
      this.told.push('accepted');
    }
    released(): void {
      this.told.push('released');
    }
  }

  test('the first is delivered, and told to be accepted only then', async () => {
    const deduplication = new FakeDeduplication(async () => 'fresh');
    const { handle, destinations } = setup(1, deduplication);
    const settlements = handle();
    await turns();
    expect(deduplication.told).toEqual([]);
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    expect([settlements, deduplication.told]).toEqual([['ack'], ['accepted']]);
  });

  test('one that goes back to the broker gives its claim up', async () => {
    const deduplication = new FakeDeduplication(async () => 'fresh');
    const { handle, directAttempts } = setup(1, deduplication);
    directAttempts.drain();
    const settlements = handle();
    await turns();
    expect([settlements, deduplication.told]).toEqual([['release'], ['released']]);
  });

  test('another one is acknowledged, and goes nowhere', async () => {
    const deduplication = new FakeDeduplication(async () => 'seen');
    const { handle, destinations, observed } = setup(1, deduplication);
    const settlements = handle();
    await turns();
    expect([settlements, nth(destinations, 0).attempts, deduplication.told]).toEqual([['ack'], [], []]);
    expect(observed.map(([what]) => what)).toEqual(['received', 'duplicate']);
  });

  test('one whose channel is lost before that is known is let go of: it comes again', async () => {
    const answered = deferred<'fresh'>();
    const deduplication = new FakeDeduplication(() => answered.promise);
    const { destinations, handOver, relay } = setup(1, deduplication);
    const message = handOver(eventBody(1), false);
    message.isLost = true;
    answered.resolve('fresh');
    await turns();
    expect([message.settlements, deduplication.told]).toEqual([['release'], ['released']]);
    expect([nth(destinations, 0).attempts, relay.openMessages]).toEqual([[], 0]);
  });

  test('one that nobody can tell about goes back to the broker', async () => {
    const deduplication = new FakeDeduplication(() => Promise.reject(new Error('draining')));
    const { handle, relay } = setup(1, deduplication);
    const settlements = handle();
    await turns();
    expect([settlements, relay.openMessages]).toEqual([['release'], 0]);
  });
});

describe('what comes in order', () => {
  /** The first copy of each event goes on, and another one once that is done. */
  class FirstOnly implements Deduplication {
    private readonly open = new Map<string, (answer: 'seen') => void>();
    claim(id: EventId): Promise<'fresh' | 'seen'> {
      if (this.open.has(id)) return new Promise((resolve) => this.open.set(id, resolve));
      this.open.set(id, () => {});
      return Promise.resolve('fresh');
    }
    done(id: EventId): void {
      this.open.get(id)?.('seen');
    }
    released(): void {}
  }

  test('does not wait for one that comes twice, as by the exchange of its instance as well', async () => {
    const { handOver, destinations } = setup(2, new FirstOnly());
    const handOrdered = (body: Buffer) => handOver(body, false, 'ordered');
    const [first, second] = [handOrdered(eventBody(1)), handOrdered(eventBody(1))];
    const next = handOrdered(eventBody(2));
    await turns();
    for (const { attempts } of destinations) expect(attempts).toHaveLength(1);
    nth(destinations, 1).at(0).end(DELIVERED);
    await turns();
    nth(destinations, 1).at(1).end(DELIVERED);
    await turns();
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    nth(destinations, 0).at(1).end(DELIVERED);
    await turns();
    expect([first, second, next].map(({ settlements }) => settlements)).toEqual([['ack'], ['ack'], ['ack']]);
    for (const { attempts } of destinations) expect(attempts).toHaveLength(2);
  });
});

describe('a message that the broker hands over again', () => {
  test('while its work goes on is not attempted anew: the work settles it (findings 3.5, 3.10)', async () => {
    const { destinations, parking, handOver, relay, counted } = setup(2);
    parking.away = true;
    const first = handOver(eventBody(1), false);
    nth(destinations, 0).at(0).end(DELIVERED);
    nth(destinations, 1).at(0).end(FAILED);
    await turns();
    first.isLost = true;
    const second = handOver(eventBody(1));
    second.isLost = true;
    const third = handOver(eventBody(1));
    await turns();
    expect(relay.openMessages).toBe(1);
    expect([third.settlements, parking.parked.length]).toEqual([[], 1]);
    parking.comeBack();
    await turns();
    expect([first.settlements, second.settlements, third.settlements]).toEqual([
      ['release'],
      ['release'],
      ['ack'],
    ]);
    expect(destinations.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
    expect(counted).toHaveLength(1);
  });

  test('because its acknowledgement was lost is acknowledged once more, and nothing is counted twice', async () => {
    const { destinations, handOver, counted, observed } = setup(1);
    const first = handOver(eventBody(1), false);
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    expect(first.settlements).toEqual(['ack']);
    const again = handOver(eventBody(1));
    expect(again.settlements).toEqual(['ack']);
    expect([nth(destinations, 0).attempts.length, counted.length]).toEqual([1, 1]);
    expect(observed.map(([what]) => what)).toEqual(['received', 'settled', 'duplicate']);
  });

  test('after another worker died with it is delivered', async () => {
    const { destinations, handOver } = setup(1);
    handOver(eventBody(1));
    expect(nth(destinations, 0).attempts).toHaveLength(1);
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
  });

  test('after it was released is delivered', async () => {
    const { destinations, parking, handOver } = setup(1);
    parking.away = true;
    const first = handOver(eventBody(1), false);
    nth(destinations, 0).at(0).end(FAILED);
    await turns();
    parking.close();
    await turns();
    expect(first.settlements).toEqual(['release']);
    handOver(eventBody(1));
    expect(nth(destinations, 0).attempts).toHaveLength(2);
    nth(destinations, 0).at(1).end(DELIVERED);
    await turns();
  });

  test('is told from a copy that came through another exchange: each lost one is taken up by one', async () => {
    const { destinations, handOver, relay } = setup(1);
    const copies = [handOver(eventBody(1), false), handOver(eventBody(1), false)];
    for (const copy of copies) copy.isLost = true;
    const again = [handOver(eventBody(1)), handOver(eventBody(1))];
    expect(relay.openMessages).toBe(2);
    for (const index of [0, 1]) {
      nth(destinations, 0).at(index).end(DELIVERED);
      await turns();
    }
    expect(again.map(({ settlements }) => settlements)).toEqual([['ack'], ['ack']]);
    expect(nth(destinations, 0).attempts).toHaveLength(2);
    expect(relay.openMessages).toBe(0);
  });
});

describe('a message whose channel is lost while its deliveries wait for their turn', () => {
  const lose = (messages: readonly { isLost: boolean }[]): void => {
    for (const message of messages) message.isLost = true;
  };

  test('is let go of: what is not begun is not begun, as it comes again', async () => {
    const { destinations, handOver, relay, counted, parking } = setup(1);
    const messages = [1, 2, 3].map((number) => handOver(eventBody(number), false));
    lose(messages);
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    expect(messages.map(({ settlements }) => settlements)).toEqual([['ack'], ['release'], ['release']]);
    expect([nth(destinations, 0).attempts.length, relay.openMessages]).toEqual([1, 0]);
    expect([counted.length, parking.parked]).toEqual([1, []]);
  });

  test('is delivered when it comes again, here as anywhere', async () => {
    const { destinations, handOver, relay } = setup(1);
    lose([1, 2].map((number) => handOver(eventBody(number), false)));
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    const copies = [1, 2].map((number) => handOver(eventBody(number)));
    nth(destinations, 0).at(1).end(DELIVERED);
    await turns();
    expect(copies.map(({ settlements }) => settlements)).toEqual([['ack'], ['ack']]);
    expect([nth(destinations, 0).attempts.length, relay.openMessages]).toEqual([2, 0]);
  });

  test('of which one delivery was made: that one is not made again when it comes here again', async () => {
    const { destinations, handOver, counted, parking } = setup(2);
    const [quick, busy] = [nth(destinations, 0), nth(destinations, 1)];
    quick.answer = DELIVERED;
    const messages = [1, 2].map((number) => handOver(eventBody(number), false));
    await turns();
    lose(messages);
    busy.at(0).end(DELIVERED);
    await turns();
    expect(messages.map(({ settlements }) => settlements)).toEqual([['ack'], ['release']]);
    const copy = handOver(eventBody(2));
    busy.at(1).end(DELIVERED);
    await turns();
    expect([copy.settlements, quick.attempts.length, busy.attempts.length]).toEqual([['ack'], 2, 2]);
    // Each counts once, when its message is done with.
    expect([counted.length, parking.parked]).toEqual([4, []]);
  });

  test('and that comes again while another one of its deliveries is under way: each is made once', async () => {
    const { destinations, handOver, relay, parking } = setup(2);
    const [slow, busy] = [nth(destinations, 0), nth(destinations, 1)];
    const first = handOver(eventBody(1), false);
    slow.at(0).end(DELIVERED);
    await turns();
    const second = handOver(eventBody(2), false);
    lose([first, second]);
    busy.at(0).end(DELIVERED);
    await turns();
    expect(busy.attempts).toHaveLength(1);
    const copy = handOver(eventBody(2));
    expect(busy.attempts).toHaveLength(2);
    busy.at(1).end(DELIVERED);
    slow.at(1).end(DELIVERED);
    await turns();
    expect([copy.settlements, relay.openMessages, parking.parked]).toEqual([['ack'], 0, []]);
    expect([slow.attempts.length, busy.attempts.length]).toEqual([2, 2]);
  });

  /** The first destination is done with a message, the second one was not begun with it, when that goes back. */
  async function halfMade(outcome: Outcome, deduplication?: Deduplication) {
    const world = setup(2, deduplication);
    const [first, busy] = [nth(world.destinations, 0), nth(world.destinations, 1)];
    first.answer = DELIVERED;
    const before = world.handOver(eventBody(1), false);
    await turns();
    first.answer = outcome;
    const message = world.handOver(eventBody(2), false);
    await turns();
    lose([before, message]);
    busy.at(0).end(DELIVERED);
    await turns();
    expect([message.settlements, first.attempts.length, busy.attempts.length]).toEqual([['release'], 2, 1]);
    return { ...world, first, busy };
  }

  test.each([
    ['stored for what stood in for the others of its instance, whose settings can be read by now', FAILED],
    ['made, and what stands in for it now would make it again', DELIVERED],
  ])('of which one was %s: it keeps the routing that it had', async (_what, outcome) => {
    const { destinations, handOver, busy, relay } = await halfMade(outcome);
    const other = new FakeDestination('webhook:other');
    other.answer = DELIVERED;
    destinations.splice(0, 1, other);
    const copy = handOver(eventBody(2));
    busy.at(1).end(DELIVERED);
    await turns();
    expect([copy.settlements, other.attempts.length, busy.attempts.length]).toEqual([['ack'], 0, 2]);
    // It was kept for that one copy.
    expect(relay.openMessages).toBe(0);
    handOver(eventBody(3));
    expect(other.attempts).toHaveLength(1);
    busy.at(2).end(DELIVERED);
    await turns();
  });

  test('of which one was made goes on to the others as they are set by then, or parks what is for those that are gone', async () => {
    for (const isGone of [false, true]) {
      const { destinations, handOver, busy, parking } = await halfMade(DELIVERED);
      const changed = new FakeDestination('webhook:1');
      destinations.splice(1, 1, ...(isGone ? [] : [changed]));
      const copy = handOver(eventBody(2));
      if (!isGone) changed.at(0).end(DELIVERED);
      await turns();
      expect([copy.settlements, busy.attempts.length]).toEqual([['ack'], 1]);
      expect(parking.parked.map(({ request }) => request.delivery.destination)).toEqual(isGone ? [busy] : []);
    }
  });

  test('of which one was made: two messages of one event keep theirs apart', async () => {
    const { destinations, handOver, relay } = setup(2);
    const [quick, busy] = [nth(destinations, 0), nth(destinations, 1)];
    quick.answer = DELIVERED;
    const before = handOver(eventBody(1), false);
    await turns();
    const same = [handOver(eventBody(2), false), handOver(eventBody(2), false)];
    await turns();
    lose([before, ...same]);
    busy.at(0).end(DELIVERED);
    await turns();
    const copies = [handOver(eventBody(2)), handOver(eventBody(2))];
    for (const index of [1, 2]) {
      busy.at(index).end(DELIVERED);
      await turns();
    }
    expect(copies.map(({ settlements }) => settlements)).toEqual([['ack'], ['ack']]);
    expect([quick.attempts.length, busy.attempts.length, relay.openMessages]).toEqual([3, 3, 0]);
  });

  test('of which one was made: the copy by another source that goes on instead does not make it again', async () => {
    const claims: Deduplication = { claim: async () => 'fresh', done: () => {}, released: () => {} };
    const { handOver, first, busy } = await halfMade(DELIVERED, claims);
    const other = handOver(eventBody(2), false);
    await turns();
    busy.at(1).end(DELIVERED);
    await turns();
    expect([other.settlements, first.attempts.length, busy.attempts.length]).toEqual([['ack'], 2, 2]);
  });
});
