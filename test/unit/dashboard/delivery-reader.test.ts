import { DeliveryReader } from '../../../src/dashboard/delivery-reader';
import type { Viewer } from '../../../src/dashboard/viewer';
import type { SearchResult } from '../../../src/delivery-log/delivery-log';
import { globalId } from '../../../src/destinations/destination-ids';
import { TenantSearches } from '../../../src/http-api/tenant-searches';
import { type Deferred, deferred, turns } from '../../support/signals/signals';

const LOJA: Viewer = { kind: 'instance', instance: 'loja' };
const CASA: Viewer = { kind: 'instance', instance: 'casa' };
const FOUND: SearchResult = { deliveries: [], more: false, coverage: { since: undefined, skipped: 0 } };

/** A log that answers when the test says so. */
function setup() {
  const searches: (Deferred<SearchResult> & { readonly instance: string | undefined })[] = [];
  const unused = (): never => {
    throw new RangeError('nobody asks for that');
  };
  const log = {
    search: ({ instance }: { readonly instance?: string }) => {
      const search = { ...deferred<SearchResult>(), instance };
      searches.push(search);
      return search.promise;
    },
    recent: unused,
    find: unused,
    body: unused,
  };
  const reader = new DeliveryReader(log, new TenantSearches(2));
  let asked = 0;
  const search = (viewer: Viewer): Promise<unknown> =>
    reader.search(viewer, {}, { limit: 1, question: { message: String(asked++) } });
  return { reader, searches, search };
}

test("an instance's token makes no more searches at once than may be; others and the operator go on", async () => {
  const { searches, search } = setup();
  const begun = [search(LOJA), search(LOJA)];
  await expect(search(LOJA)).rejects.toMatchObject({ status: 429 });
  const others = [search(CASA), search({ kind: 'operator' }), search({ kind: 'operator' })];
  await turns();
  expect(searches.map(({ instance }) => instance)).toEqual(['loja', 'loja', 'casa', undefined, undefined]);
  for (const { resolve } of searches) resolve(FOUND);
  await Promise.all([...begun, ...others]);
  const again = search(LOJA);
  await turns();
  searches.at(-1)?.resolve(FOUND);
  await expect(again).resolves.toEqual(FOUND);
});

const DELIVERED: SearchResult['deliveries'][number] = {
  ...{ id: 'dlv_1', destination: globalId('webhook'), instance: 'loja', event: 'call' },
  ...{
    message: 'M',
    chat: 'C',
    outcome: 'delivered',
    reason: '',
    at: 1,
    bytes: 2,
    records: [],
    bodyIn: undefined,
  },
};
const ANSWERED: SearchResult = { ...FOUND, deliveries: [DELIVERED] };

test('what is found is one object for all who may see the same, so that its page is made once', async () => {
  const { reader, searches } = setup();
  const question = { limit: 1, question: { instance: 'loja' } };
  const filter = { instance: 'loja' };
  const all = [
    reader.search({ kind: 'operator' }, filter, question),
    reader.search({ kind: 'reader' }, filter, question),
    reader.search(LOJA, filter, question),
    reader.search(LOJA, filter, question),
  ];
  await turns();
  for (const { resolve } of searches) resolve(ANSWERED);
  const [operator, readOnly, tenant, again] = await Promise.all(all);
  expect(readOnly).toBe(operator);
  expect(again).toBe(tenant);
  expect(tenant).not.toBe(operator);
  expect(searches).toHaveLength(2);
});

test('bodies are read in the same turns, and remembered as a page shows them: whole ones may have megabytes', async () => {
  const bodies: Deferred<Buffer>[] = [];
  const log = {
    search: async () => FOUND,
    recent: async () => [],
    find: async (id: string) => ({ ...DELIVERED, id }),
    body: () => {
      const one = deferred<Buffer>();
      bodies.push(one);
      return one.promise;
    },
  };
  const reader = new DeliveryReader(log, new TenantSearches(2));
  const two = [reader.find(LOJA, 'dlv_1'), reader.find(LOJA, 'dlv_2')];
  await turns();
  await expect(reader.find(LOJA, 'dlv_3')).rejects.toMatchObject({ status: 429 });
  for (const { resolve } of bodies) resolve(Buffer.alloc(1_000_000, 'x'));
  const [found] = await Promise.all(two);
  expect(found?.body).toMatchObject({ bytes: 1_000_000, cutAt: 65_536 });
  expect(JSON.stringify(found).length).toBeLessThan(70_000);
});
