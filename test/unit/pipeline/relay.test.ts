import { MalformedEventError } from '../../../src/errors';
import type { Envelope, Origin } from '../../../src/events/envelope';
import { ContentFilter } from '../../../src/filters/content-filter';
import type { Deduplication } from '../../../src/pipeline/deduplication';
import { type Delivery, destinationKey, type Outcome } from '../../../src/pipeline/delivery';
import type { DirectResult } from '../../../src/pipeline/direct-attempts';
import type { Settlement, SourceMessage } from '../../../src/pipeline/message';
import { Relay } from '../../../src/pipeline/relay';
import { route } from '../../../src/pipeline/route';
import type { Tracing } from '../../../src/pipeline/tracing';
import { DELIVERED, FAILED, FakeDestination, PipelineHarness } from '../../support/harness/pipeline-harness';
import { type Deferred, deferred, turns } from '../../support/signals/signals';
import { eventBody, goBody } from '../../support/values/events';
import { nth } from '../../support/values/items';

interface Buried extends Deferred<void> {
  readonly body: Buffer;
  readonly origin: Origin;
  readonly error: MalformedEventError;
}

function setup(
  destinationCount = 1,
  deduplication?: Deduplication,
  content?: ContentFilter,
  tracing?: Tracing,
) {
  const harness = new PipelineHarness({ perDestination: 1 });
  const destinations = Array.from(
    { length: destinationCount },
    (_, n) => new FakeDestination(`webhook:${n}`),
  );
  const counted: Delivery[] = [];
  const discarded: Delivery[] = [];
  const buried: Buried[] = [];
  const observed: (readonly [what: string, detail: unknown])[] = [];
  const relay = new Relay({
    route: (envelope: Envelope) =>
      route(
        envelope,
        destinations.map((destination) => ({
          destination,
          key: destinationKey(destination.id),
          events: 'all',
          // Of the last one.
          content: destination === destinations.at(-1) ? content : undefined,
        })),
      ),
    directAttempts: harness.directAttempts,
    tracing,
    ...(deduplication === undefined ? {} : { deduplication }),
    countDelivered: (deliveries) => counted.push(...deliveries),
    countDiscarded: (deliveries) => discarded.push(...deliveries),
    buryMalformed: (body, origin, error) => {
      const done = { body, origin, error, ...deferred() };
      buried.push(done);
      return done.promise;
    },
    observer: {
      received: (source, { event }) => observed.push(['received', [source, event]]),
      duplicate: (_source, { id }) => observed.push(['duplicate', id]),
      malformed: (_source, { code }) => observed.push(['malformed', code]),
      filtered: ({ id }) => observed.push(['filtered', id]),
      unwanted: ({ event }) => observed.push(['unwanted', event]),
      settled: (_message, _envelope, results: readonly DirectResult[]) =>
        observed.push(['settled', [...results]]),
    },
  });
  let next = 0;
  const handle = (body: Buffer = eventBody(next++), flaw?: MalformedEventError): Settlement[] => {
    const settlements: Settlement[] = [];
    const message: SourceMessage = {
      body,
      origin: { routingKey: 'x.y' },
      publishedAt: undefined,
      redelivered: false,
      isLost: false,
      ...(flaw === undefined ? {} : { flaw }),
      settle: (settlement) => settlements.push(settlement),
    };
    relay.handle('test', message);
    return settlements;
  };
  /** A message of a channel that may be lost, as RabbitMQ's are. */
  const handOver = (body: Buffer, redelivered = true) => {
    const message = {
      body,
      origin: { routingKey: 'x.y' },
      publishedAt: undefined,
      redelivered,
      isLost: false,
      settlements: [] as Settlement[],
      settle: (settlement: Settlement) => message.settlements.push(settlement),
    };
    relay.handle('test', message);
    return message;
  };
  return {
    ...{ handOver, ...harness, harness, relay, destinations, counted, discarded, buried, observed, handle },
  };
}

describe('a message', () => {
  test('is acknowledged when every delivery is confirmed, and held until then', async () => {
    const { destinations, handle, relay, counted } = setup(2);
    const settlements = handle();
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    expect([settlements, relay.openMessages]).toEqual([[], 1]);
    nth(destinations, 1).at(0).end(DELIVERED);
    await turns();
    expect([settlements, relay.openMessages]).toEqual([['ack'], 0]);
    expect(counted.map(({ destination }) => destination)).toEqual(destinations);
  });

  test('is acknowledged when one delivery is confirmed and another stored; only the confirmed is counted', async () => {
    const { destinations, handle, counted } = setup(2);
    const settlements = handle();
    nth(destinations, 0).at(0).end(DELIVERED);
    nth(destinations, 1).at(0).end(FAILED);
    await turns();
    expect(settlements).toEqual(['ack']);
    expect(counted.map(({ destination }) => destination)).toEqual([nth(destinations, 0)]);
  });

  test('that leads to no delivery is acknowledged at once', () => {
    expect(setup(0).handle()).toEqual(['ack']);
  });

  test.each([
    ['of a queue without copies', undefined, 1],
    ['of two copies the first', 'main', 1],
    ['of two copies the second, which is for ordered destinations alone', 'ordered', 0],
  ] as const)('that no destination wants is said to be unwanted: %s', async (_what, copy, times) => {
    const { relay, observed } = setup(0);
    const message = { body: eventBody(1), origin: { routingKey: 'x.y' }, publishedAt: undefined };
    relay.handle('test', { ...message, redelivered: false, isLost: false, copy, settle: () => {} });
    await turns();
    expect(observed.filter(([what]) => what === 'unwanted')).toHaveLength(times);
  });

  test('has one trace, also where a second copy of it is for nobody', async () => {
    const ended: string[] = [];
    const { relay } = setup(0, undefined, undefined, {
      received: () => ({ traceparent: '', settled: (settlement) => ended.push(settlement) }),
      attempt: () => ({ traceparent: '', ended: () => {} }),
    });
    const message = { body: eventBody(1), origin: { routingKey: 'x.y' }, publishedAt: undefined };
    for (const copy of ['main', 'ordered'] as const)
      relay.handle('test', { ...message, redelivered: false, isLost: false, copy, settle: () => {} });
    await turns();
    expect(ended).toEqual(['ack']);
  });

  test('is released, and nothing counted, when a delivery cannot be stored', async () => {
    const { destinations, parking, handle, counted } = setup(2);
    parking.away = true;
    const settlements = handle();
    nth(destinations, 0).at(0).end(DELIVERED);
    nth(destinations, 1).at(0).end(FAILED);
    await turns();
    expect(settlements).toEqual([]);
    parking.close();
    await turns();
    expect([settlements, counted]).toEqual([['release'], []]);
  });

  const OTHERS = ContentFilter.of({ fromMe: true });

  test('that a destination leaves out by its content counts as discarded there when it is acknowledged', async () => {
    const { destinations, handle, counted, discarded, observed } = setup(2, undefined, OTHERS);
    const settlements = handle();
    expect([settlements, discarded]).toEqual([[], []]);
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    expect(settlements).toEqual(['ack']);
    expect(counted.map(({ destination }) => destination)).toEqual([nth(destinations, 0)]);
    expect(discarded.map(({ destination }) => destination)).toEqual([nth(destinations, 1)]);
    expect(observed.filter(([what]) => what === 'filtered')).toHaveLength(1);
    expect(nth(destinations, 1).attempts).toEqual([]);
  });

  test('that all destinations leave out is acknowledged at once', () => {
    const { handle, discarded } = setup(1, undefined, OTHERS);
    expect(handle()).toEqual(['ack']);
    expect(discarded).toHaveLength(1);
  });

  test('that goes back counts nothing of what was left out: it comes again', async () => {
    const { destinations, parking, handle, discarded } = setup(2, undefined, OTHERS);
    parking.away = true;
    const settlements = handle();
    nth(destinations, 0).at(0).end(FAILED);
    await turns();
    parking.close();
    await turns();
    expect([settlements, discarded]).toEqual([['release'], []]);
  });

  test('of which something was left out and nothing begun goes back as a whole when the process drains', () => {
    const { directAttempts, handle, parking } = setup(2, undefined, OTHERS);
    directAttempts.drain();
    expect(handle()).toEqual(['release']);
    expect(parking.parked).toEqual([]);
  });

  test('that nobody began goes back to the broker untouched when the process drains', () => {
    const { directAttempts, handle, destinations, counted } = setup();
    handle();
    const waiting = handle();
    directAttempts.drain();
    const late = handle();
    expect([waiting, late]).toEqual([['release'], ['release']]);
    expect(nth(destinations, 0).attempts).toHaveLength(1);
    expect(counted).toEqual([]);
    nth(destinations, 0).at(0).end(DELIVERED);
  });

  test('partly made when the process drains is not made twice: the untouched rest is parked', async () => {
    const { destinations, parking, directAttempts, handle } = setup(2);
    nth(destinations, 1).answer = DELIVERED;
    const blocking = handle();
    const partial = handle();
    await turns();
    directAttempts.drain();
    await turns();
    expect(partial).toEqual(['ack']);
    expect(parking.parked.map(({ request }) => [request.reason, request.delivery.destination])).toEqual([
      ['shutdown', nth(destinations, 0)],
    ]);
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    expect(blocking).toEqual(['ack']);
  });

  test('partly made, whose rest cannot be stored either, goes back: twice is better than never', async () => {
    const { destinations, parking, directAttempts, handle } = setup(2);
    nth(destinations, 1).answer = DELIVERED;
    handle();
    const partial = handle();
    await turns();
    parking.away = true;
    directAttempts.drain();
    parking.close();
    await turns();
    expect(partial).toEqual(['release']);
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
  });

  test('is told of when it comes and when it is settled', async () => {
    const { destinations, handle, observed } = setup(1);
    handle();
    nth(destinations, 0).at(0).end(DELIVERED);
    await turns();
    expect(observed).toEqual([
      ['received', ['test', 'messages.upsert']],
      ['settled', ['delivered']],
    ]);
  });
});

describe('a malformed message', () => {
  const garbage = Buffer.from([0xff, 0x00, 0x7b]);

  test('is buried raw, then acknowledged, never before', async () => {
    const { handle, buried, destinations } = setup();
    const settlements = handle(garbage);
    await turns();
    expect(settlements).toEqual([]);
    expect(buried).toMatchObject([
      { body: garbage, origin: { routingKey: 'x.y' }, error: { code: 'BODY_NOT_UTF8' } },
    ]);
    nth(buried, 0).resolve();
    await turns();
    expect(settlements).toEqual(['ack']);
    expect(nth(destinations, 0).attempts).toEqual([]);
  });

  test('that cannot be buried goes back to the broker', async () => {
    const { handle, buried } = setup();
    const settlements = handle(garbage);
    nth(buried, 0).reject(new Error('closed'));
    await turns();
    expect(settlements).toEqual(['release']);
  });
});

test('a message that its source knows to be none is buried with the reason it gives', async () => {
  const { handle, buried, destinations } = setup();
  const settlements = handle(eventBody(1), new MalformedEventError('CLAIM_EXPIRED', 'the link has expired'));
  expect(buried).toMatchObject([{ body: eventBody(1), error: { code: 'CLAIM_EXPIRED' } }]);
  nth(buried, 0).resolve();
  await turns();
  expect([settlements, nth(destinations, 0).attempts]).toEqual([['ack'], []]);
});

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

describe('idle', () => {
  test('resolves at once where nothing is held, else with the last message', async () => {
    const { relay, destinations, handle } = setup();
    await relay.idle();
    handle();
    let isIdle = false;
    const idle = relay.idle().then(() => {
      isIdle = true;
    });
    await turns();
    expect(isIdle).toBe(false);
    nth(destinations, 0).at(0).end(DELIVERED);
    await idle;
  });

  test('resolves for everyone who waits', async () => {
    const { relay, destinations, handle } = setup();
    handle();
    const both = Promise.all([relay.idle(), relay.idle()]);
    nth(destinations, 0).at(0).end(DELIVERED);
    await both;
  });
});

describe('emissions of evolution-go with the same bytes', () => {
  const idsOf = ({ destinations }: ReturnType<typeof setup>): readonly string[] =>
    nth(destinations, 0).attempts.map(({ delivery }) => delivery.id);
  const endAll = async ({ destinations }: ReturnType<typeof setup>): Promise<void> => {
    // One at a time: the destination takes no more.
    for (let index = 0; index < nth(destinations, 0).attempts.length; index++) {
      nth(destinations, 0).at(index).end(DELIVERED);
      await turns();
    }
  };

  test('are two deliveries, in deduplication too', async () => {
    const claims: string[] = [];
    const world = setup(1, {
      claim: async (id) => {
        claims.push(id);
        return claims.length === 1 ? 'fresh' : 'seen';
      },
      done: () => {},
      released: () => {},
    });
    const messages = [world.handOver(goBody(), false), world.handOver(goBody(), false)];
    await endAll(world);
    expect(messages.map(({ settlements }) => settlements)).toEqual([['ack'], ['ack']]);
    expect(new Set(idsOf(world)).size).toBe(2);
    expect(claims).toEqual([]);
  });

  test('are parked apart', async () => {
    const world = setup(1);
    for (let count = 0; count < 2; count++) {
      world.handOver(goBody(), false);
      nth(world.destinations, 0).at(count).end(FAILED);
      await turns();
    }
    expect(new Set(world.parking.parked.map(({ request }) => request.delivery.id)).size).toBe(2);
  });

  test('that come again while both are in flight settle both, and are not delivered anew', async () => {
    const world = setup(1);
    const first = [world.handOver(goBody(), false), world.handOver(goBody(), false)];
    for (const message of first) message.isLost = true;
    const again = [world.handOver(goBody()), world.handOver(goBody())];
    await endAll(world);
    expect(again.map(({ settlements }) => settlements)).toEqual([['ack'], ['ack']]);
    expect(idsOf(world)).toHaveLength(2);
    const third = world.handOver(goBody());
    await endAll(world);
    expect([third.settlements, idsOf(world).length]).toEqual([['ack'], 3]);
  });

  test('a copy of one that was settled when its channel was gone is acknowledged, once', async () => {
    const world = setup(1);
    const lost = world.handOver(goBody(), false);
    lost.isLost = true;
    await endAll(world);
    const [copy, other] = [world.handOver(goBody()), world.handOver(goBody())];
    expect(copy.settlements).toEqual(['ack']);
    expect(other.settlements).toEqual([]);
    await endAll(world);
    expect([other.settlements, idsOf(world).length]).toEqual([['ack'], 2]);
  });

  test('one that comes again after it was acknowledged is another emission: none is lost', async () => {
    const world = setup(1);
    world.handOver(goBody(), false);
    await endAll(world);
    world.handOver(goBody());
    await endAll(world);
    expect(new Set(idsOf(world)).size).toBe(2);
  });

  test('one that went back to the broker keeps its id when it comes again', async () => {
    const world = setup(1);
    world.parking.away = true;
    const first = world.handOver(goBody(), false);
    nth(world.destinations, 0).at(0).end(FAILED);
    await turns();
    world.parking.close();
    await turns();
    expect(first.settlements).toEqual(['release']);
    world.handOver(goBody());
    world.handOver(goBody());
    await endAll(world);
    const [before, again, other] = idsOf(world);
    expect(again).toBe(before);
    expect(other).not.toBe(before);
  });
});
