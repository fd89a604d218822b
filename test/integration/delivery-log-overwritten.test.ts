import { DeliveryLog } from '../../src/delivery-log/delivery-log';
import { LogNotes } from '../../src/delivery-log/log-notes';
import { LogStore } from '../../src/delivery-log/log-store';
import { LogWriter } from '../../src/delivery-log/log-writer';
import { StoredStates } from '../../src/delivery-log/stored-states';
import { connectRedis } from '../../src/redis/client';
import type { RelayRedis } from '../../src/redis/relay-redis';
import { DELIVERED, FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo } from '../support/values/events';
import { redisConfig } from '../support/values/redis-config';

const limits = { maxAgeMs: 3_600_000, maxRows: 1e6, maxBytes: 1e8 };
const webhook = new FakeDestination('webhook:global');

describe('the delivery log', () => {
  let harness: StoreHarness;
  let redis: RelayRedis;
  let store: LogStore;
  let log: DeliveryLog;

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

  /** In a chunk of its own; its id. */
  async function deliver(message: string): Promise<string> {
    const writer = new LogWriter({ limits, onSkipped: () => {}, onError: () => {}, flushMs: 1 });
    writer.open(store);
    const notes = new LogNotes({ sink: writer, slowAfterMs: 1000, withBodies: false });
    const key = { remoteJid: '55@s.whatsapp.net', fromMe: false, id: message };
    const event = { event: 'messages.upsert', instance: 'loja', data: { key } };
    const delivery = deliveryTo(webhook, JSON.stringify(event));
    notes.attemptEnded(delivery, { attempt: 1, at: Date.now(), durationMs: 5, outcome: DELIVERED });
    await writer.close();
    return delivery.id;
  }

  test('does not know what stood in a chunk that somebody wrote over, and knows all else', async () => {
    await deliver('A1');
    for (const chunk of await store.chunks(0, Number.MAX_SAFE_INTEGER))
      await redis.set(`{${harness.prefix}}:log:${chunk}`, 'x');
    const id = await deliver('A2');
    for (const filter of [{}, { instance: 'loja' }, { outcome: 'delivered' }] as const)
      expect((await log.search(filter, 10)).deliveries).toMatchObject([{ message: 'A2' }]);
    expect((await log.search({ message: 'A1' }, 10)).deliveries).toEqual([]);
    expect((await log.find(id))?.records).toHaveLength(1);
  });
});
