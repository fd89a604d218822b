import { DestinationList } from '../../../src/health/destination-list';

const DESTINATIONS = ['webhook:global', 'webhook:instance/loja', 'webhook:instance/loja/crm', 'none'];

/** Answers as Redis does, and counts how often everything is read. */
class FakeStore {
  reads = 0;
  isAway = false;

  readonly call = async (name: string, ...args: unknown[]): Promise<unknown> => {
    if (this.isAway) throw new Error('away');
    if (name === 'relayOldestOf') return args.map(() => '');
    if (name !== 'relayDestinations') return [1];
    this.reads++;
    return [DESTINATIONS.flatMap((id, index) => [`key${index}`, id]), [], ['key1', '3']];
  };
}

let store: FakeStore;
let list: DestinationList;
beforeEach(() => {
  store = new FakeStore();
  list = new DestinationList(store);
});

describe('the list of destinations', () => {
  test('is read once for all that ask at about the same time, however many they are', async () => {
    const pages = await Promise.all(
      Array.from({ length: 50 }, () => list.page({ instance: 'loja', limit: 10 })),
    );
    await list.show('webhook:global');
    expect(store.reads).toBe(1);
    for (const { destinations, total } of pages) {
      expect(destinations.map(({ id, waiting }) => [id, waiting])).toEqual([
        ['webhook:instance/loja', 3],
        ['webhook:instance/loja/crm', 0],
      ]);
      expect(total).toBe(2);
    }
  });

  test('has what a person changed at once, and is not read anew for it, however often', async () => {
    const crm = 'webhook:instance/loja/crm';
    for (let times = 0; times < 10; times++) {
      expect(await list.suspend('webhook:instance/loja')).toBe(true);
      expect(await list.suspend(crm)).toBe(true);
      expect(await list.show(crm)).toMatchObject({ state: 'suspended', by: 'person', waiting: 0 });
      expect((await list.page({ instance: 'loja', state: 'suspended', limit: 10 })).total).toBe(2);
      expect(await list.resume('webhook:instance/loja')).toBe(true);
      expect(await list.resume(crm)).toBe(true);
      const states = (await list.page({ instance: 'loja', limit: 10 })).destinations.map(
        ({ state }) => state,
      );
      expect(states).toEqual(['waiting', 'well']);
    }
    expect(store.reads).toBe(1);
  });

  test('is read anew where it could not be read', async () => {
    store.isAway = true;
    await expect(list.show('webhook:global')).rejects.toThrow('away');
    store.isAway = false;
    expect(await list.show('webhook:global')).toMatchObject({ state: 'well' });
  });

  test('has no names of the audit that are no destinations', async () => {
    const { destinations } = await list.page({ limit: 10 });
    expect(destinations.map(({ id }) => id)).toEqual([
      'webhook:instance/loja',
      'webhook:global',
      'webhook:instance/loja/crm',
    ]);
  });

  test('knows those of one instance, in the order of all', async () => {
    const known = await list.everything();
    expect(known.all.map(({ id }) => id)).toEqual([
      'webhook:instance/loja',
      'webhook:global',
      'webhook:instance/loja/crm',
    ]);
    expect(known.of('loja').map(({ id }) => id)).toEqual([
      'webhook:instance/loja',
      'webhook:instance/loja/crm',
    ]);
    expect(known.of('none')).toEqual([]);
  });
});
