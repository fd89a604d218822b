import type { DeliveryId, DestinationId } from '../../../src/pipeline/delivery';
import { AddressRoster } from '../../../src/retry/address-roster';
import type { DueDelivery } from '../../../src/retry/retry-queue';

const ID = 'webhook:global' as DestinationId;

/** Of so many characters in Redis, parked for an address that another worker has. */
function deliveryOf(stored: number): DueDelivery {
  const data = { v: 1, d: ID, e: '', i: '', b: 'x'.repeat(stored), l: stored, a: 'theirs', n: 0 } as const;
  return { id: 'dlv_1' as DeliveryId, token: '', data, spent: 0, timesTaken: 1, parkedAt: 0 };
}

async function delays(count: number, stored: number): Promise<readonly number[]> {
  const roster = new AddressRoster({
    store: {
      isReady: true,
      call: async () => [1, [`${ID} theirs`]],
      waitUntilReady: async () => {},
    },
    own: new Map([[ID, 'ours']]),
    onDisagreement: () => {},
    onAgreement: () => {},
    onError: (error) => {
      throw error;
    },
  });
  await roster.announce();
  return Array.from({ length: count }, () => roster.leaveFor(deliveryOf(stored), 'ours'));
}

test('it is said once that no living worker has another address any more', async () => {
  let living: readonly string[] = [`${ID} ours`];
  const said: string[] = [];
  const roster = new AddressRoster({
    store: { isReady: true, call: async () => [1, living], waitUntilReady: async () => {} },
    own: new Map([[ID, 'ours']]),
    onDisagreement: () => said.push('they disagree'),
    onAgreement: (id) => said.push(id),
    onError: (error) => {
      throw error;
    },
  });
  await roster.announce();
  expect(said).toEqual([]);
  living = [`${ID} ours`, `${ID} theirs`];
  for (let times = 0; times < 2; times++) await roster.announce();
  living = [`${ID} ours`];
  for (let times = 0; times < 2; times++) await roster.announce();
  expect(said).toEqual(['they disagree', ID]);
});

describe('deliveries that are left to workers with their address', () => {
  test('come back at a pace, a hundred of them soon', async () => {
    const all = await delays(1100, 1000);
    expect(all[0]).toBe(1000);
    expect(all[1099]).toBeGreaterThan(5000);
    expect(all[1099]).toBeLessThanOrEqual(6500);
  });

  test('large ones come back no faster than two megabytes a second, and within a minute', async () => {
    const all = await delays(400, 100_000);
    expect(all[399]).toBeGreaterThan((400 * 100_000) / 2_000);
    expect(Math.max(...(await delays(4000, 100_000)))).toBeLessThan(62_000);
  });
});
