import fc from 'fast-check';
import type { LaneId } from '../../../src/pipeline/delivery';
import type { Coalescing } from '../../../src/pipeline/destination-limits';
import { type Supersedable, supersedableOf, supersedes } from '../../../src/pipeline/superseding';
import { DELIVERED, FakeDestination, PipelineHarness } from '../../support/harness/pipeline-harness';
import { deliveryTo, eventBody } from '../../support/values/events';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const COALESCE: Coalescing = {
  events: new Set(['PRESENCE_UPDATE', 'CHATS_UPDATE', 'CONTACTS_UPDATE']),
  withinMs: 10_000,
};

function destinationOf(coalesce: Coalescing | 'none' = COALESCE, id = 'webhook:fake'): FakeDestination {
  const destination = new FakeDestination(id);
  destination.limits = coalesce === 'none' ? {} : { coalesce };
  return destination;
}

const dateOf = (at: number): string => new Date(Date.UTC(2026, 0, 1) + at).toISOString();

/** A presence of a chat, emitted so many milliseconds after midnight. */
function presence(at: number, chat = '5511@s.whatsapp.net', who: readonly string[] = [chat]): Buffer {
  const presences = Object.fromEntries(who.map((name) => [name, { lastKnownPresence: `at ${at}` }]));
  return eventBody(0, { event: 'presence.update', date_time: dateOf(at), data: { id: chat, presences } });
}

const update = (event: string, data: unknown, extra = {}): Buffer =>
  eventBody(0, { event, date_time: dateOf(0), data, ...extra });

function of(body: Buffer, destination = destinationOf()): Supersedable | undefined {
  return supersedableOf(deliveryTo(destination, body));
}

test('what keeps its place in a lane replaces nothing', () => {
  const delivery = deliveryTo(destinationOf(), presence(1));
  expect(supersedableOf(delivery)).toBeDefined();
  expect(supersedableOf({ ...delivery, lane: 'lane-of-a-chat' as LaneId })).toBeUndefined();
});

const keyOf = (body: Buffer, destination?: FakeDestination): string | undefined => of(body, destination)?.key;

describe('what two events must say the same about for the newer one to replace the older', () => {
  test('a presence: chat and members', () => {
    expect(keyOf(presence(1))).toBe(keyOf(presence(2)));
    expect(keyOf(presence(1, 'a@g.us', ['x', 'y']))).toBe(keyOf(presence(2, 'a@g.us', ['y', 'x'])));
    expect(keyOf(presence(1, 'a@g.us', ['x']))).not.toBe(keyOf(presence(1, 'a@g.us', ['y'])));
    expect(keyOf(presence(1, 'a@g.us'))).not.toBe(keyOf(presence(1, 'b@g.us')));
  });

  test('updates: the same chats or contacts, whatever their order, with the same fields', () => {
    const [one, other] = [
      { remoteJid: '1', unreadMessages: 1 },
      { remoteJid: '2', unreadMessages: 1 },
    ];
    const key = keyOf(update('chats.update', [one, other]));
    expect(key).toBeDefined();
    expect(keyOf(update('chats.update', [other, { ...one, unreadMessages: 2 }]))).toBe(key);
    expect(keyOf(update('chats.update', [one]))).not.toBe(key);
    expect(keyOf(update('contacts.update', [one, other]))).not.toBe(key);
    expect(keyOf(update('chats.update', [one, { remoteJid: '2', name: 'a' }]))).not.toBe(key);
    expect(keyOf(update('contacts.update', one))).toBe(keyOf(update('contacts.update', [one])));
  });

  test('the same instance and the same destination', () => {
    expect(keyOf(update('chats.update', { id: '1' }, { instance: 'other' }))).not.toBe(
      keyOf(update('chats.update', { id: '1' })),
    );
    expect(keyOf(presence(1), destinationOf(COALESCE, 'webhook:other'))).not.toBe(keyOf(presence(1)));
  });

  test.each([
    ['an event that was not named', update('messages.update', { id: '1' })],
    ['nothing that names a chat', update('chats.update', [{ unreadMessages: 1 }])],
    ['no items', update('chats.update', [])],
    ['text', update('chats.update', ['1'])],
    ['a presence of nobody', update('presence.update', { id: '1' })],
    ['no date', update('chats.update', { id: '1' }, { date_time: null })],
    ['a date of seconds', update('chats.update', { id: '1' }, { date_time: '2026-01-01T00:00:00Z' })],
    ['a date that is none', update('chats.update', { id: '1' }, { date_time: '2026-99-01T00:00:00.000Z' })],
    ['more than is looked into', update('chats.update', { id: '1', name: 'x'.repeat(70_000) })],
  ])('never: %s', (_what, body) => expect(of(body)).toBeUndefined());

  test('nor where nobody asked for it', () => expect(of(presence(1), destinationOf('none'))).toBeUndefined());
});

test('only an event that is newer, and not by more than was set, replaces another', () => {
  fc.assert(
    fc.property(
      fc.nat(30_000),
      fc.nat(30_000),
      fc.integer({ min: 1, max: 20_000 }),
      (one, other, withinMs) => {
        const at = (time: number): Supersedable => ({ key: 'k', at: time, withinMs });
        const isSo = supersedes(at(one), at(other));
        expect(isSo).toBe(one > other && one - other <= withinMs);
        if (isSo) expect(supersedes(at(other), at(one))).toBe(false);
      },
    ),
  );
});

describe('in a line', () => {
  function setup() {
    const harness = new PipelineHarness({ perDestination: 1 });
    const destination = destinationOf();
    const first = harness.submit(destination);
    return { harness, destination, first };
  }

  /** What was attempted after the first one, as its data says. */
  async function drain({ attempts }: FakeDestination): Promise<string[]> {
    for (let index = 0; index < attempts.length; index++) {
      attempts[index]?.end(DELIVERED);
      await jest.advanceTimersByTimeAsync(0);
    }
    return attempts
      .slice(1)
      .map(({ delivery }) => /at (\d+)/.exec(delivery.envelope.body.toString())?.[1] ?? '?');
  }

  test('a newer one takes the place of the older, which is discarded: nothing waits for longer', async () => {
    const { harness, destination } = setup();
    const older = harness.submit(destination, presence(100));
    const between = harness.submit(destination, presence(150, 'other@s.whatsapp.net'));
    const newer = harness.submit(destination, presence(200));
    expect(older).toEqual(['discarded']);
    expect(harness.superseded).toHaveLength(1);
    expect(await drain(destination)).toEqual(['200', '150']);
    expect([between, newer]).toEqual([['delivered'], ['delivered']]);
  });

  test('an older one that comes late replaces nothing, and is not replaced', async () => {
    const { harness, destination } = setup();
    harness.submit(destination, presence(200));
    const late = harness.submit(destination, presence(100));
    harness.submit(destination, presence(300));
    expect(await drain(destination)).toEqual(['300', '100']);
    expect(late).toEqual(['delivered']);
  });

  test('one that is under attempt is not replaced', async () => {
    const { harness, destination } = setup();
    destination.at(0).end(DELIVERED);
    await jest.advanceTimersByTimeAsync(0);
    const older = harness.submit(destination, presence(100));
    const newer = harness.submit(destination, presence(200));
    expect(older).toEqual([]);
    expect(await drain(destination)).toEqual(['100', '200']);
    expect([older, newer]).toEqual([['delivered'], ['delivered']]);
  });

  test('what begins at once makes needless what is parked', () => {
    const { harness } = setup();
    harness.submit(destinationOf(COALESCE, 'webhook:idle'), presence(100));
    expect(harness.parking.begun).toHaveLength(2);
  });

  test('without the setting every one is delivered', async () => {
    const harness = new PipelineHarness({ perDestination: 1 });
    const destination = destinationOf('none');
    harness.submit(destination);
    for (const at of [100, 200, 300]) harness.submit(destination, presence(at));
    expect(await drain(destination)).toEqual(['100', '200', '300']);
    expect(harness.parking.begun).toEqual([]);
  });
});
