import { MalformedEventError } from '../../../src/errors';
import { ContentFilter } from '../../../src/filters/content-filter';
import { DELIVERED, FAILED } from '../../support/harness/pipeline-harness';
import { relayHarness as setup } from '../../support/harness/relay-harness';
import { turns } from '../../support/signals/signals';
import { eventBody } from '../../support/values/events';
import { nth } from '../../support/values/items';

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
