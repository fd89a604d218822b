import { DeliveryReader } from '../../../src/dashboard/delivery-reader';
import type { Visit } from '../../../src/dashboard/screen';
import { DestinationScreen } from '../../../src/dashboard/screens/destination-screen';
import { TenantSearches } from '../../../src/http-api/tenant-searches';
import type { DestinationId } from '../../../src/pipeline/delivery';

const ID = 'webhook:instance/loja' as DestinationId;
const VISIT = {
  viewer: { kind: 'reader' },
  language: 'en',
  params: { id: ID },
  query: {},
} as unknown as Visit;

test('all who look at one destination share one search of the log: a hundred open pages took half a core', async () => {
  let searches = 0;
  const log = {
    search: async () => {
      searches++;
      return { deliveries: [], more: false, coverage: { since: undefined, skipped: 0 } };
    },
    recent: async () => [],
    find: async () => undefined,
    body: async () => undefined,
  };
  const screen = new DestinationScreen({
    overviews: { current: async () => ({ flow: { at: 0 } }) },
    destinations: { show: async () => ({ id: ID, state: 'well', waiting: 0 }) },
    reader: new DeliveryReader(log, new TenantSearches(2)),
    replays: { list: async () => [] },
    addresses: { of: async () => undefined, canTest: () => false },
  });
  await Promise.all(Array.from({ length: 100 }, () => screen.show(VISIT)));
  expect(searches).toBe(1);
});
