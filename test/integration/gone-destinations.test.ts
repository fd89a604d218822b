import { GoneDestinations } from '../../src/ledger/gone-destinations';
import type { DestinationId } from '../../src/pipeline/delivery';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';

let harness: StoreHarness;
let there: Set<string>;
let gone: GoneDestinations;

beforeEach(async () => {
  harness = await StoreHarness.open();
  there = new Set();
  gone = new GoneDestinations({
    store: harness.store,
    isThere: async (id: DestinationId) => there.has(id),
    onError: () => {},
  });
});
afterEach(() => harness.close());

const many = (count: number, first = 0): FakeDestination[] =>
  Array.from({ length: count }, (_, index) => new FakeDestination(`webhook:instance/loja/${first + index}`));

async function deliverTo(destinations: readonly FakeDestination[]): Promise<void> {
  harness.ledger.countDelivered(
    destinations.map((destination, index) => deliveryTo(destination, eventBody(index))),
  );
  await harness.ledger.flush();
}

describe('destinations that are no more', () => {
  test('become one line of the audit, which balances as before', async () => {
    const kept = new FakeDestination('webhook:instance/outra');
    there.add(kept.id);
    await deliverTo([...many(700), kept]);
    await gone.look();
    expect(
      (await harness.audit()).map(({ destination, accepted, delivered, difference }) => [
        destination,
        accepted,
        delivered,
        difference,
      ]),
    ).toEqual([
      ['removed', 700, 700, 0],
      [kept.id, 1, 1, 0],
    ]);
    const names = await harness.withRedis((redis) => redis.hlen(`{${harness.prefix}}:destinations`));
    expect(names).toBe(2);
  });

  test('stay while something is parked for them, or a dead letter', async () => {
    const [parked, dead, both] = [
      new FakeDestination('webhook:instance/p'),
      new FakeDestination('webhook:instance/d'),
      new FakeDestination('webhook:instance/b'),
    ];
    await deliverTo([...many(300), both]);
    await harness.park(deliveryTo(parked, eventBody(1)));
    await harness.park(deliveryTo(both, eventBody(2)));
    await harness.bury([deliveryTo(dead, eventBody(3))]);
    await gone.look();
    const left = (await harness.audit()).map(({ destination }) => destination);
    expect(left).toEqual(['removed', both.id, dead.id, parked.id]);
  });

  test('are looked for only where there are many more than last time, and not all the time', async () => {
    let asked = 0;
    const counting = new GoneDestinations({
      store: harness.store,
      isThere: async () => {
        asked++;
        return true;
      },
      onError: () => {},
    });
    await deliverTo(many(100));
    await counting.look();
    expect(asked).toBe(0);
    await deliverTo(many(300, 100));
    await counting.look();
    expect(asked).toBe(400);
    await deliverTo(many(300, 400));
    await counting.look();
    expect(asked).toBe(400);
  });

  test('where that cannot be known all of them stay', async () => {
    await deliverTo(many(300));
    const unsure = new GoneDestinations({
      store: harness.store,
      isThere: () => Promise.reject(new Error('Redis is away')),
      onError: () => {},
    });
    await expect(unsure.look()).rejects.toThrow('Redis is away');
    expect(await harness.audit()).toHaveLength(300);
  });
});
