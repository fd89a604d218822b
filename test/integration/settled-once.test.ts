import { Redis } from 'ioredis';
import { StoreUnavailableError } from '../../src/errors';
import { GroupCommit } from '../../src/retry/group-commit';
import type { Step } from '../../src/retry/retry-store';
import { StoredDeliveries } from '../../src/retry/stored-deliveries';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';

const LANE = 'lane-of-one';
const destination = new FakeDestination('webhook:instance/loja-centro');
const idOf = (number: number) => deliveryTo(destination, eventBody(number)).id;

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

const keyOf = (name: string): string => `{${harness.prefix}}:${name}`;

/** As a replay does it, too: a copy has the id of what was delivered. */
async function park(number: number, lane = ''): Promise<void> {
  const place = [60_000, '', 'owner', 'owner', 0, ''];
  await harness.store.call(
    'relayPark',
    idOf(number),
    destination.id,
    'event',
    '{}',
    ...place,
    lane,
    '',
    '',
    '',
  );
}

/** Settles by a store whose first answer is lost after the call took effect; `meanwhile` happens before it is asked again. */
function losingFirstAnswer(meanwhile: () => Promise<void>): StoredDeliveries {
  const { store } = harness;
  let isFirst = true;
  const write = async (steps: readonly Step[]): Promise<void> => {
    if (!isFirst) return store.write(steps);
    isFirst = false;
    await store.write(steps.map(({ reply: _lost, ...step }) => ({ ...step, reply: undefined })));
    await meanwhile();
    throw new StoreUnavailableError('the connection to Redis ended before it answered');
  };
  const commit = new GroupCommit({ write }, () => {});
  return new StoredDeliveries({ store, commit, worker: harness.worker });
}

const delivered = async (): Promise<number> => {
  const counts = await admin.hgetall(keyOf('audit'));
  const entries = Object.entries(counts).filter(([field]) => field.endsWith(':delivered'));
  return entries.reduce((sum, [, count]) => sum + Number(count), 0);
};

test('a copy that is replayed while the answer for several is lost is not taken for made', async () => {
  for (const number of [1, 2]) await park(number);
  const deliveries = losingFirstAnswer(() => park(1));
  await Promise.all([1, 2].map((number) => deliveries.settle(idOf(number), 'delivered')));
  expect(await admin.exists(keyOf(`retry:${idOf(1)}`))).toBe(1);
  expect(await delivered()).toBe(2);
});

test('one that Redis refused is settled in the end, although the answer that said so was lost', async () => {
  await park(1);
  await park(2, LANE);
  const laneKey = keyOf(`lane:${LANE}`);
  await admin.del(laneKey);
  await admin.set(laneKey, 'what somebody wrote there');
  const deliveries = losingFirstAnswer(async () => {
    await admin.del(laneKey);
  });
  await Promise.all([1, 2].map((number) => deliveries.settle(idOf(number), 'delivered')));
  expect(await admin.exists(keyOf(`retry:${idOf(1)}`), keyOf(`retry:${idOf(2)}`))).toBe(0);
  expect(await delivered()).toBe(2);
});
