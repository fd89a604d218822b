import { LogNotes } from '../../src/delivery-log/log-notes';
import { LogStore } from '../../src/delivery-log/log-store';
import { LogWriter } from '../../src/delivery-log/log-writer';
import { instanceOf } from '../../src/destinations/destination-ids';
import type { Delivery } from '../../src/pipeline/delivery';
import { connectRedis } from '../../src/redis/client';
import type { RelayRedis } from '../../src/redis/relay-redis';
import { openReplays, type Replays } from '../../src/replays/open-replays';
import type { Progress, ReplaySpec } from '../../src/replays/replay-store';
import { Shares } from '../../src/retry/shares';
import { GatewayHarness } from '../support/harness/gateway-harness';
import { DELIVERED, FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { redisConfig } from '../support/values/redis-config';

jest.setTimeout(60_000);

const ALL_DEAD: ReplaySpec = { what: 'dead-letters', filter: {}, perSecond: 10_000 };
const ALL: ReplaySpec = { what: 'deliveries', filter: {}, perSecond: 10_000 };

describe('a replay', () => {
  let harness: StoreHarness;
  let redis: RelayRedis;
  let replays: Replays;
  let destination: FakeDestination;

  const open = (onProgress: (progress: Progress) => void = () => {}): Replays =>
    openReplays({
      store: harness.store,
      redis,
      prefix: harness.prefix,
      shares: new Shares({ limits: { perInstance: 0, perGlobalDestination: 0 }, instanceOf }),
      onError: () => {},
      onProgress,
    });
  /** Logs them as a worker does, with their bodies or without. */
  const log = async (all: readonly Delivery[], withBodies: boolean): Promise<void> => {
    const limits = { maxAgeMs: 1e9, maxRows: 1e6, maxBytes: 1e8 };
    const writer = new LogWriter({ limits, onSkipped: () => {}, onError: () => {} });
    writer.open(new LogStore({ redis, prefix: harness.prefix }));
    const notes = new LogNotes({ sink: writer, slowAfterMs: 1000, withBodies });
    for (const each of all)
      notes.attemptEnded(each, { attempt: 1, at: Date.now() - 1000, durationMs: 3, outcome: DELIVERED });
    await writer.close();
  };
  const run = async (spec: ReplaySpec) => replays.runner.run(await replays.store.begin(spec));

  beforeEach(async () => {
    harness = await StoreHarness.open();
    redis = connectRedis(redisConfig(harness.uri, harness.prefix), 'commands', () => {});
    await new Promise((resolve) => redis.once('ready', resolve));
    destination = new FakeDestination('webhook:global');
    replays = open();
  });
  afterEach(async () => {
    await replays.runner.stop();
    redis.disconnect();
    await harness.close();
  });

  test('delivers dead letters again, those that match, each once; what died together is not passed over', async () => {
    await harness.bury(deliveries(destination, 250));
    const other = new FakeDestination('webhook:instance/loja');
    await harness.bury(deliveries(other, 5));
    const spec = { ...ALL_DEAD, filter: { destination: 'webhook:global' } };
    expect(await replays.runner.preview(spec)).toMatchObject({ seen: 255, replayed: 250 });
    expect(await run(spec)).toMatchObject({
      state: 'done',
      progress: { seen: 255, replayed: 250, needless: 0 },
    });
    expect(await harness.line(destination)).toMatchObject({ parked: 250, dead: 0, difference: 0 });
    expect(await harness.line(other)).toMatchObject({ parked: 0, dead: 5, difference: 0 });
  });

  test('that removes takes those dead letters away for good that match, and no others', async () => {
    const other = new FakeDestination('webhook:instance/loja');
    await harness.bury(deliveries(destination, 250));
    await harness.bury(deliveries(other, 5));
    const filter = { destination: 'webhook:global' };
    const spec: ReplaySpec = { what: 'dead-letters-removed', filter, perSecond: 10_000 };
    expect(await replays.runner.preview(spec)).toMatchObject({ seen: 255, replayed: 250 });
    expect(await harness.line(destination)).toMatchObject({ dead: 250 });
    expect(await run(spec)).toMatchObject({ state: 'done', progress: { seen: 255, replayed: 250 } });
    expect(await harness.line(destination)).toMatchObject({ parked: 0, dead: 0, difference: 0 });
    expect(await harness.line(other)).toMatchObject({ parked: 0, dead: 5, difference: 0 });
  });

  test('of one delivery delivers that one again', async () => {
    const all = deliveries(destination, 20);
    await log(all, true);
    const done = await run({ ...ALL, filter: { id: String(all[7]?.id) } });
    expect(done).toMatchObject({ state: 'done', progress: { seen: 1, replayed: 1 } });
    expect(await harness.line(destination)).toMatchObject({ parked: 1 });
  });

  test('delivers what was delivered again where its body is kept, under the same ids, and says how many cannot be', async () => {
    const [kept, lost] = [deliveries(destination, 120), deliveries(destination, 30, 1000)];
    await log(kept, true);
    await log(lost, false);
    expect(await replays.runner.preview(ALL)).toMatchObject({ seen: 150, replayed: 120, withoutBody: 30 });
    const done = await run({ ...ALL, filter: { outcome: 'delivered' } });
    expect(done).toMatchObject({ state: 'done', progress: { replayed: 120, withoutBody: 30, needless: 0 } });
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 120, delivered: 120, parked: 0, difference: 0 });
    expect(new Set(destination.attempts.map(({ delivery }) => delivery.id))).toEqual(
      new Set(kept.map(({ id }) => id)),
    );
    const [first] = destination.attempts;
    expect(kept.find(({ id }) => id === first?.delivery.id)?.envelope.body).toEqual(
      first?.delivery.envelope.body,
    );
  });

  test('of a window takes dead letters along that the log knows, and leaves what waits alone', async () => {
    const [dead, parked] = [deliveries(destination, 3), deliveries(destination, 2, 100)];
    const limits = { maxAgeMs: 1e9, maxRows: 1e6, maxBytes: 1e8 };
    const writer = new LogWriter({ limits, onSkipped: () => {}, onError: () => {} });
    writer.open(new LogStore({ redis, prefix: harness.prefix }));
    const notes = new LogNotes({ sink: writer, slowAfterMs: 1000, withBodies: false });
    for (const each of [...dead, ...parked])
      notes.attemptEnded(each, { attempt: 1, at: Date.now() - 1000, durationMs: 3, outcome: FAILED });
    await writer.close();
    await harness.bury(dead);
    for (const each of parked) await harness.park(each);
    const spec = { ...ALL, filter: { since: Date.now() - 60_000, destination: 'webhook:global' } };
    expect(await run(spec)).toMatchObject({ progress: { seen: 5, replayed: 3, needless: 2 } });
    expect(await harness.line(destination)).toMatchObject({ parked: 5, dead: 0, difference: 0 });
  });

  test('is gone on with where its process ends, by another one; nothing is replayed twice', async () => {
    await harness.bury(deliveries(destination, 60));
    const spec = { ...ALL_DEAD, perSecond: 10 };
    const id = await replays.store.begin(spec);
    const first = open((progress) => {
      if (progress.replayed >= 10) void first.runner.stop();
    });
    await first.runner.run(id);
    const left = await replays.store.find(id);
    expect(left).toMatchObject({ state: 'running', progress: { replayed: 10 } });
    const second = open((progress) => {
      if (progress.replayed >= 20) void second.runner.stop();
    });
    // Whoever looks for work finds it.
    second.runner.start();
    await eventually(async () => {
      const now = await replays.store.find(id);
      return (now?.progress.replayed ?? 0) >= 20 || undefined;
    }, 'twenty replayed');
    await second.runner.stop();
    expect(await replays.store.find(id)).toMatchObject({
      state: 'running',
      progress: { seen: 20, needless: 0 },
    });
  });

  test('is worked on by one process at a time', async () => {
    const id = await replays.store.begin(ALL_DEAD);
    expect((await replays.store.claim('one', id))?.id).toBe(id);
    expect(await replays.store.claim('two')).toBeUndefined();
    const progress = { seen: 1, replayed: 1, withoutBody: 0, needless: 0, cursor: '5 a' };
    expect(await replays.store.step(id, 'two', progress)).toBe('lost');
    expect(await replays.store.step(id, 'one', progress)).toBe('running');
    await replays.store.release(id, 'one');
    expect((await replays.store.claim('two'))?.progress).toEqual(progress);
  });

  test('that goes slowly holds up no other', async () => {
    const other = new FakeDestination('webhook:instance/loja');
    await harness.bury(deliveries(destination, 40));
    await harness.bury(deliveries(other, 3, 100));
    const of = ({ id }: FakeDestination, perSecond: number): ReplaySpec => ({
      ...ALL_DEAD,
      filter: { destination: id },
      perSecond,
    });
    const slow = await replays.store.begin(of(destination, 1));
    replays.runner.start();
    await eventually(
      async () => ((await replays.store.find(slow))?.progress.replayed ? true : undefined),
      'it has begun',
    );
    const fast = await replays.store.begin(of(other, 10_000));
    await eventually(
      async () => ((await replays.store.find(fast))?.state === 'done' ? true : undefined),
      'the other one is done',
      15_000,
    );
    expect(await replays.store.find(slow)).toMatchObject({ state: 'running' });
  });

  test('that is cancelled ends after the batch that is under way', async () => {
    await harness.bury(deliveries(destination, 30));
    const id = await replays.store.begin({ ...ALL_DEAD, perSecond: 1 });
    const watched = open((progress) => {
      if (progress.replayed === 1) void replays.store.end(id, 'cancelled');
    });
    const ended = await watched.runner.run(id);
    expect(ended?.state).toBe('cancelled');
    expect(ended?.progress.replayed).toBeLessThan(30);
    expect(await replays.store.end(id, 'cancelled')).toBe(false);
  });
});

describe('replays at the gateway', () => {
  let store: StoreHarness;
  let harness: GatewayHarness;
  const destination = new FakeDestination('webhook:global');

  beforeEach(async () => {
    store = await StoreHarness.open();
    harness = await GatewayHarness.start({ REDIS_PREFIX_KEY: store.prefix });
  });
  afterEach(async () => {
    await harness.close();
    await store.close();
  });

  test('of many dead letters run in the background, with their progress, and go on after a restart', async () => {
    await store.bury(deliveries(destination, 1200));
    const begun = await harness.ask('POST', '/dead-letters/replay', { body: { all: true } });
    expect(begun.status).toBe(202);
    const { replay } = begun.body as { replay: { id: string } };
    await harness.replaceProcess();
    const done = await eventually(
      async () => {
        const { body } = await harness.ask('GET', `/replays/${replay.id}`);
        return (body as { state: string }).state === 'done' ? body : undefined;
      },
      'the replay',
      45_000,
    );
    expect(done).toMatchObject({ what: 'dead-letters', seen: expect.any(Number) });
    expect(await store.line(destination)).toMatchObject({ parked: 1200, dead: 0, difference: 0 });
    const { body } = await harness.ask('GET', '/replays');
    expect(body).toMatchObject({ replays: [{ id: replay.id }] });
    expect((await harness.ask('DELETE', '/replays/rpl_none')).status).toBe(404);
  });

  test('of the log need filters, and are previewed', async () => {
    const post = async (body: unknown) => harness.ask('POST', '/deliveries/replay', { body });
    expect((await post({})).status).toBe(400);
    expect((await post({ outcome: 'parked' })).status).toBe(400);
    expect((await post({ all: true, perSecond: 0 })).status).toBe(400);
    expect((await post({ since: '3650d', preview: true })).body).toEqual({
      preview: true,
      seen: 0,
      replayable: 0,
      withoutBody: 0,
      needless: 0,
    });
    const begun = await post({ instance: '<script>' });
    expect([begun.status, begun.body]).toMatchObject([
      202,
      { state: 'running', filter: { instance: '<script>' } },
    ]);
  });
});
