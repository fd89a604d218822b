import type { DeadLetter, DeadLetterFilter } from '../../src/dead-letters/dead-letters';
import type { DeliveryId } from '../../src/pipeline/delivery';
import { DELIVERED, FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';
import { nth } from '../support/values/items';

let harness: StoreHarness;
let destination: FakeDestination;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:global');
});
afterEach(() => harness.close());

const NOTHING = { accepted: 0, delivered: 0, parked: 0, dead: 0, discarded: 0, difference: 0 };

async function list(filter: DeadLetterFilter = {}): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of harness.deadLetters.list(filter)) letters.push(letter);
  return letters;
}

const idsOf = (letters: readonly { readonly id: DeliveryId }[]): DeliveryId[] => letters.map(({ id }) => id);

describe('dead letters', () => {
  test('are counted as dead, and no longer as parked', async () => {
    await harness.bury(deliveries(destination, 5));
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 5, dead: 5 });
  });

  test('are listed newest first, with what a person wants to know, without the body', async () => {
    const buried = deliveries(destination, 3);
    for (const delivery of buried) await harness.bury([delivery]);
    const letters = await list();
    expect(idsOf(letters)).toEqual(idsOf(buried).reverse());
    expect(letters[0]).toEqual({
      id: buried[2]?.id,
      destination: 'webhook:global',
      event: 'messages.upsert',
      instance: 'loja-centro',
      reason: 'rejected',
      at: expect.any(Number),
      bytes: buried[2]?.envelope.body.length,
    });
    expect(Math.abs((letters[0]?.at ?? 0) - Date.now())).toBeLessThan(30_000);
  });

  test('are found by instance, event, destination, reason and time, alone and together', async () => {
    const other = new FakeDestination('webhook:other');
    const target = deliveryTo(other, eventBody(1, { event: 'call', instance: 'loja-norte' }));
    await harness.bury([...deliveries(destination, 2), target]);
    const [found] = await list({ instance: 'loja-norte' });
    expect(found?.id).toBe(target.id);
    const at = found?.at ?? 0;
    const matching: DeadLetterFilter[] = [
      { event: 'call' },
      { event: 'CALL' },
      { destination: 'webhook:other' },
      {
        instance: 'loja-norte',
        event: 'CALL',
        destination: 'webhook:other',
        reason: 'rejected',
        since: at,
        until: at,
      },
    ];
    for (const filter of matching) expect(idsOf(await list(filter))).toEqual([target.id]);
    expect(await list({ reason: 'rejected' })).toHaveLength(3);
    const none: DeadLetterFilter[] = [
      { reason: 'malformed' },
      { instance: 'loja-norte', event: 'messages.upsert' },
      { since: Date.now() + 60_000 },
      { until: at - 60_000 },
    ];
    for (const filter of none) expect(await list(filter)).toEqual([]);
  });

  test('are listed completely, also beyond a page', async () => {
    const buried = deliveries(destination, 230);
    await harness.bury(buried);
    expect(new Set(idsOf(await list()))).toEqual(new Set(idsOf(buried)));
  });

  test('show their whole history and their body', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.bury([delivery]);
    const shown = await harness.deadLetters.show(delivery.id);
    expect(shown?.history).toEqual([{ attempt: 1, at: expect.any(Number), durationMs: 5, outcome: FAILED }]);
    expect(shown?.body.equals(delivery.envelope.body)).toBe(true);
    expect(await harness.deadLetters.show('dlv_unknown')).toBeUndefined();
  });

  test('what is parked is no dead letter: it is neither shown, replayed nor removed', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.park(delivery);
    expect(await list()).toEqual([]);
    expect(await harness.deadLetters.show(delivery.id)).toBeUndefined();
    expect(await harness.deadLetters.replay(delivery.id)).toBe('not-found');
    expect(await harness.deadLetters.remove(delivery.id)).toBe(false);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, parked: 1 });
  });
});

describe('replay', () => {
  test('delivers again under the same identity, with all attempts before it, and the counters stay balanced', async () => {
    const buried = deliveries(destination, 3);
    await harness.bury(buried);
    for (const { id } of buried) expect(await harness.deadLetters.replay(id)).toBe('replayed');
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 3, parked: 3 });
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 3, delivered: 3, parked: 0, dead: 0, difference: 0 });
    expect(destination.attempts.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(new Set(destination.attempts.map(({ delivery }) => delivery.id))).toEqual(new Set(idsOf(buried)));
  });

  test('that fails again ends as a dead letter again, after all its attempts', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.bury([delivery]);
    await harness.deadLetters.replay(delivery.id);
    destination.answer = FAILED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 1, dead: 1, parked: 0, difference: 0 });
    expect(destination.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await harness.deadLetters.show(delivery.id))?.reason).toBe('attempts-exhausted');
  });

  test('twice, or of what is not there, does nothing', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.bury([delivery]);
    expect(await harness.deadLetters.replay(delivery.id)).toBe('replayed');
    expect(await harness.deadLetters.replay(delivery.id)).toBe('not-found');
    expect(await harness.deadLetters.replay('dlv_unknown')).toBe('not-found');
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, parked: 1 });
  });

  test('an event that comes again while its delivery is a dead letter does not become a second one', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.bury([delivery]);
    await harness.park(delivery);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, dead: 1 });
  });
});

describe('remove and expire', () => {
  test('what is removed counts as discarded, once, and leaves nothing behind', async () => {
    const buried = deliveries(destination, 2);
    await harness.bury(buried);
    const [first] = idsOf(buried);
    expect(await harness.deadLetters.remove(first ?? '')).toBe(true);
    expect(await harness.deadLetters.remove(first ?? '')).toBe(false);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 2, dead: 1, discarded: 1 });
    expect((await harness.keyNames()).filter((name) => name.includes(first ?? ''))).toEqual([]);
  });

  test('a removed delivery that comes again is accepted anew', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.bury([delivery]);
    await harness.deadLetters.remove(delivery.id);
    await harness.park(delivery);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 2, parked: 1, discarded: 1 });
  });

  test('by age: exactly what is older goes', async () => {
    const day = 86_400_000;
    await harness.bury(deliveries(destination, 3));
    expect(await harness.deadLetters.expire(day, 1000)).toBe(0);
    // Negative ages: as a minute before, and a minute after.
    expect(await harness.deadLetters.expire(60_000, 1000)).toBe(0);
    expect(await harness.deadLetters.expire(-60_000, 1000)).toBe(3);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 3, discarded: 3 });
  });

  test('by count: exactly the oldest beyond it go', async () => {
    const buried = deliveries(destination, 6);
    for (const delivery of buried) await harness.bury([delivery]);
    expect(await harness.deadLetters.expire(86_400_000, 4)).toBe(2);
    expect(new Set(idsOf(await list()))).toEqual(new Set(idsOf(buried.slice(2))));
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 6, dead: 4, discarded: 2 });
    expect((await harness.keyNames()).filter((name) => name.includes('dlv_')).length).toBeLessThanOrEqual(8);
  });

  test('more than one step’s worth expires too', async () => {
    await harness.bury(deliveries(destination, 1200));
    expect(await harness.deadLetters.expire(-60_000, 1_000_000)).toBe(1200);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1200, discarded: 1200 });
  });

  test('each destination’s counters stay its own', async () => {
    const other = new FakeDestination('webhook:other');
    await harness.bury([...deliveries(destination, 2), ...deliveries(other, 3)]);
    await harness.deadLetters.expire(-60_000, 1_000_000);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 2, discarded: 2 });
    expect(await harness.line(other)).toEqual({ ...NOTHING, accepted: 3, discarded: 3 });
  });
});
