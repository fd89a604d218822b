import { SilenceStore } from '../../src/silence/silence-store';
import { WatchedInstance } from '../../src/silence/watched-instance';
import { errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { StoreHarness } from '../support/harness/store-harness';

const STEP_MS = 120_000;

describe('what all workers hear of instances', () => {
  let harness: StoreHarness;
  let store: SilenceStore;
  beforeEach(async () => {
    harness = await StoreHarness.open();
    store = new SilenceStore(harness.store);
  });
  afterEach(() => harness.close());

  test('is added up in steps of the clock of Redis; a step that nobody reported is none', async () => {
    await store.heard([{ instance: 'loja: 1', messages: 2, others: 0, said: undefined }]);
    await store.heard([
      { instance: 'loja: 1', messages: 3, others: 4, said: 'closed' },
      { instance: 'outra', messages: 0, others: 1, said: undefined },
    ]);
    await store.heard([]);
    const now = (await store.lease('one', 1000)) ?? 0;
    const both = await Promise.all([0, 1].map((ago) => store.heardIn(Math.floor(now / STEP_MS) - ago)));
    const heard = new Map(both.flatMap((each) => [...(each ?? [])]));
    expect(heard.get('outra')).toMatchObject({ messages: 0, others: 1 });
    expect(heard.get('loja: 1')?.said).toBe('closed');
    expect(await store.heardIn(1)).toBeUndefined();
  });

  test('is watched by one worker at a time', async () => {
    expect(await store.lease('one', 60_000)).toEqual(expect.any(Number));
    expect(await store.lease('other', 60_000)).toBeUndefined();
    expect(await store.lease('one', 60_000)).toEqual(expect.any(Number));
  });

  test('is remembered, and forgotten', async () => {
    const watched = WatchedInstance.new(1_000_000);
    await store.learn([
      ['loja', watched],
      ['outra', watched],
    ]);
    await store.tell([['loja', { since: 5, why: 'fell-silent' }]]);
    expect(await store.silentCount()).toBe(1);
    expect([...(await store.silentOnes())]).toEqual([['loja', { since: 5, why: 'fell-silent' }]]);
    await store.learn([['loja', undefined]]);
    const known: string[] = [];
    for await (const [instance] of store.instances()) known.push(instance);
    expect([known, await store.silentCount()]).toEqual([['outra'], 0]);
  });
});

describe('GET /instances', () => {
  let harness: StoreHarness;
  let gateway: GatewayHarness;
  beforeEach(async () => {
    harness = await StoreHarness.open();
    gateway = await GatewayHarness.start({ REDIS_PREFIX_KEY: harness.prefix });
    const store = new SilenceStore(harness.store);
    await store.learn(['a', 'b', 'c'].map((name) => [name, WatchedInstance.new(1_000_000)]));
    await store.tell([['b', { since: 2_000_000, why: 'closed' }]]);
  });
  afterEach(async () => {
    await gateway.close();
    await harness.close();
  });

  test('lists the silent ones first, page by page', async () => {
    const { status, body } = await gateway.ask('GET', '/instances?limit=2');
    expect([status, body]).toEqual([
      200,
      {
        total: 3,
        instances: [
          {
            instance: 'b',
            state: 'silent',
            reason: 'closed',
            silentSince: '1970-01-01T00:33:20.000Z',
            lastMessage: '1970-01-01T00:16:40.000Z',
            messagesPerDay: 0,
          },
          expect.objectContaining({ instance: 'a', state: 'learning' }),
        ],
      },
    ]);
    expect((await gateway.ask('GET', '/instances?state=silent')).body).toMatchObject({ total: 1 });
  });

  test('shows one with its rhythm; what was never heard of is not found, wrong questions are refused', async () => {
    const { body } = await gateway.ask('GET', '/instances/b');
    expect(body).toMatchObject({ state: 'silent', usualPerHour: new Array(168).fill(0) });
    expect((await gateway.ask('GET', '/instances/nobody')).status).toBe(404);
    const wrong = await gateway.ask('GET', '/instances?limit=0&colour=red');
    expect(wrong.body).toEqual(errorShape(400, 'Bad Request'));
  });
});
