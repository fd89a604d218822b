import { DeliveryLog } from '../../src/delivery-log/delivery-log';
import { LogNotes } from '../../src/delivery-log/log-notes';
import { type LogLimits, LogStore } from '../../src/delivery-log/log-store';
import { LogWriter } from '../../src/delivery-log/log-writer';
import { StoredStates } from '../../src/delivery-log/stored-states';
import type { AttemptRecord, Outcome } from '../../src/pipeline/delivery';
import { connectRedis } from '../../src/redis/client';
import type { RelayRedis } from '../../src/redis/relay-redis';
import { DELIVERED, FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo } from '../support/values/events';
import { redisConfig } from '../support/values/redis-config';

const HOUR = 3_600_000;
const LIMITS: LogLimits = { maxAgeMs: 7 * 24 * HOUR, maxRows: 1e6, maxBytes: 1e8 };
const AHEAD_MS = 2 * LIMITS.maxAgeMs;
/** Of this process and Redis, on one machine. */
const SAME_MS = 1000;

describe('the delivery log, where the clock of a worker is ahead', () => {
  let harness: StoreHarness;
  let redis: RelayRedis;
  let store: LogStore;
  let log: DeliveryLog;

  /** Attempts at one delivery, which a worker of its own writes. */
  const write = async (
    attempts: readonly (Partial<AttemptRecord> & { readonly outcome: Outcome })[],
    limits: LogLimits = LIMITS,
  ): Promise<void> => {
    const writer = new LogWriter({ limits, onSkipped: () => {}, onError: () => {}, flushMs: 1 });
    writer.open(store);
    const notes = new LogNotes({ sink: writer, slowAfterMs: 1000, withBodies: false });
    const key = { remoteJid: '5511988887777@s.whatsapp.net', fromMe: false, id: 'A1' };
    const body = JSON.stringify({ event: 'messages.upsert', instance: 'loja', data: { key } });
    const made = deliveryTo(new FakeDestination('webhook:global'), body);
    for (const each of attempts)
      notes.attemptEnded(made, { attempt: 1, at: Date.now(), durationMs: 5, ...each });
    await writer.close();
  };
  const aheadOf = async (work: () => Promise<unknown>): Promise<void> => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + AHEAD_MS);
    await work().finally(() => clock.mockRestore());
  };
  const since = async (): Promise<number> => (await store.coverage(0, Date.now())).since ?? Number.NaN;

  beforeEach(async () => {
    harness = await StoreHarness.open();
    redis = connectRedis(redisConfig(harness.uri, harness.prefix), 'commands', () => {});
    await new Promise((resolve) => redis.once('ready', resolve));
    store = new LogStore({ redis, prefix: harness.prefix });
    log = new DeliveryLog({ store, states: new StoredStates(harness.store) });
  });
  afterEach(async () => {
    redis.disconnect();
    await harness.close();
  });

  test('keeps its records, although they are older than they are kept for by that clock', async () => {
    await write([{ outcome: DELIVERED }]);
    await aheadOf(async () => expect(await store.trim(LIMITS, 100)).toBe(0));
    expect((await log.search({}, 10)).deliveries).toHaveLength(1);
  });

  test('does not begin in the future, and not where an earlier version made it so', async () => {
    await aheadOf(() => write([{ outcome: DELIVERED }]));
    expect(await since()).toBeLessThanOrEqual(Date.now() + SAME_MS);
    await redis.set(`{${harness.prefix}}:log:since`, Date.now() + AHEAD_MS);
    await write([{ outcome: DELIVERED }]);
    expect(await since()).toBeLessThanOrEqual(Date.now() + SAME_MS);
    await store.trim({ ...LIMITS, maxRows: 0 }, 100);
    expect(await since()).toBeLessThanOrEqual(Date.now() + SAME_MS);
  });

  test('knows that what that worker had parked was delivered by another one', async () => {
    await write([
      { outcome: FAILED, at: Date.now() + AHEAD_MS },
      { outcome: DELIVERED, attempt: 2 },
    ]);
    const search = async (outcome: 'delivered' | 'unknown') => (await log.search({ outcome }, 10)).deliveries;
    expect(await search('delivered')).toMatchObject([{ message: 'A1', outcome: 'delivered', reason: '' }]);
    expect(await search('unknown')).toEqual([]);
  });
});
