import { Redis } from 'ioredis';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';

const LANE = 'lane-of-one';
const destination = new FakeDestination('webhook:instance/loja-centro');

let harness: StoreHarness;
let admin: Redis;

beforeEach(async () => {
  harness = await StoreHarness.open();
  admin = new Redis(harness.uri);
});
afterEach(async () => {
  await harness.close();
  admin.disconnect();
});

/** Stores a delivery of the event with this number; its id. */
async function parked(number: number, lane = ''): Promise<ReturnType<typeof deliveryTo>['id']> {
  const { id } = deliveryTo(destination, eventBody(number));
  const place = [60_000, '', 'owner', 'owner', 0, ''];
  await harness.store.call('relayPark', id, destination.id, 'event', '{}', ...place, lane, '', '', '');
  return id;
}

const delivered = async (): Promise<number> => {
  const counts = await admin.hgetall(`{${harness.prefix}}:audit`);
  const entries = Object.entries(counts).filter(([field]) => field.endsWith(':delivered'));
  return entries.reduce((sum, [, count]) => sum + Number(count), 0);
};

test('deliveries that are settled together are counted once each, also one that is not there', async () => {
  const ids = [await parked(1), await parked(2), await parked(3)];
  const { id: unknown } = deliveryTo(destination, eventBody(4));
  const settle = (id: (typeof ids)[number]) => harness.deliveries.settle(id, 'delivered');
  const results = await Promise.all([...ids, unknown].map(settle));
  expect(results.map(({ kind }) => kind)).toEqual(['settled', 'settled', 'settled', 'gone']);
  expect(await delivered()).toBe(3);
  expect((await settle(ids[0] ?? unknown)).kind).toBe('gone');
  expect(await delivered()).toBe(3);
});

test('one that Redis refuses waits until that is mended, and the others are settled', async () => {
  const ids = [await parked(1), await parked(2, LANE), await parked(3)];
  const laneKey = `{${harness.prefix}}:lane:${LANE}`;
  await admin.del(laneKey);
  await admin.set(laneKey, 'what somebody wrote there');
  const settled = ids.map((id) => harness.deliveries.settle(id, 'delivered'));
  expect(await Promise.all([settled[0], settled[2]])).toEqual([{ kind: 'settled' }, { kind: 'settled' }]);
  expect(await delivered()).toBe(2);
  await admin.del(laneKey);
  expect(await settled[1]).toEqual({ kind: 'settled' });
  expect(await delivered()).toBe(3);
});
