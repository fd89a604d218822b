import { DeliveryLog } from '../../src/delivery-log/delivery-log';
import type { LogFilter } from '../../src/delivery-log/log-filter';
import { LogNotes } from '../../src/delivery-log/log-notes';
import { type LogLimits, LogStore } from '../../src/delivery-log/log-store';
import { LogWriter } from '../../src/delivery-log/log-writer';
import { notSeen } from '../../src/delivery-log/shown-delivery';
import { StoredStates } from '../../src/delivery-log/stored-states';
import type { AttemptRecord, Delivery, Outcome } from '../../src/pipeline/delivery';
import { connectRedis } from '../../src/redis/client';
import type { RelayRedis } from '../../src/redis/relay-redis';
import { DELIVERED, FAILED, FakeDestination, REJECTED } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { deliveryTo } from '../support/values/events';
import { redisConfig } from '../support/values/redis-config';

const HOUR = 3_600_000;
const LIMITS: LogLimits = { maxAgeMs: 7 * 24 * HOUR, maxRows: 1e6, maxBytes: 1e8 };

interface Event {
  readonly id?: string;
  readonly chat?: string;
  readonly alias?: string;
  readonly instance?: string;
  readonly event?: string;
}

describe('the delivery log', () => {
  let harness: StoreHarness;
  let redis: RelayRedis;
  let store: LogStore;
  let log: DeliveryLog;
  let writer: LogWriter;
  let notes: LogNotes;
  const webhook = new FakeDestination('webhook:global');
  const other = new FakeDestination('webhook:instance/loja');
  let now = Date.now();

  const openWriter = (limits: LogLimits = LIMITS): void => {
    writer = new LogWriter({ limits, onSkipped: () => {}, onError: () => {}, flushMs: 1 });
    writer.open(store);
    notes = new LogNotes({ sink: writer, slowAfterMs: 1000, withBodies: true });
  };
  const renew = async (limits?: LogLimits): Promise<void> => {
    await writer.close();
    openWriter(limits);
  };
  const delivery = (
    {
      id = '3EB0',
      chat = '5511988887777@s.whatsapp.net',
      alias,
      instance = 'loja',
      event = 'messages.upsert',
    }: Event,
    destination = webhook,
  ): Delivery => {
    const key = {
      remoteJid: chat,
      ...(alias === undefined ? {} : { remoteJidAlt: alias }),
      fromMe: false,
      id,
    };
    const found = deliveryTo(destination, JSON.stringify({ event, instance, data: { key } }));
    return { ...found, envelope: { ...found.envelope, since: now } };
  };
  const attempt = (of: Delivery, outcome: Outcome, others: Partial<AttemptRecord> = {}): void => {
    // A retry comes from the store, where nobody knows when the event was published.
    const isRetry = others.attempt !== undefined;
    const made = isRetry ? { ...of, envelope: { ...of.envelope, since: undefined } } : of;
    notes.attemptEnded(made, { attempt: 1, at: now, durationMs: 5, outcome, ...others });
  };
  const search = async (filter: LogFilter, limit = 100) => (await log.search(filter, limit)).deliveries;
  const messages = async (filter: LogFilter, limit?: number): Promise<string[]> =>
    (await search(filter, limit)).map(({ message }) => message);

  beforeEach(async () => {
    now = Date.now();
    harness = await StoreHarness.open();
    redis = connectRedis(redisConfig(harness.uri, harness.prefix), 'commands', () => {});
    await new Promise((resolve) => redis.once('ready', resolve));
    store = new LogStore({ redis, prefix: harness.prefix });
    log = new DeliveryLog({ store, states: new StoredStates(harness.store) });
    openWriter();
  });
  afterEach(async () => {
    await writer.close();
    redis.disconnect();
    await harness.close();
  });

  test('finds deliveries by everything that they are known by, the newest first', async () => {
    attempt(delivery({ id: 'A1', instance: 'loja' }), DELIVERED);
    attempt(delivery({ id: 'A2', instance: '<script>alert(1)</script>', chat: '5521-999@g.us' }), DELIVERED);
    attempt(delivery({ id: 'A3', event: 'send.message', alias: '99887766@lid' }, other), DELIVERED);
    await renew();
    expect(await messages({})).toEqual(['A3', 'A2', 'A1']);
    expect(await messages({ message: 'A2' })).toEqual(['A2']);
    expect(await messages({ chat: '+55 (11) 98888-7777' })).toEqual(['A3', 'A1']);
    expect(await messages({ chat: '5511988887777@g.us' })).toEqual([]);
    expect(await messages({ chat: '99887766' })).toEqual(['A3']);
    expect(await messages({ instance: '<script>alert(1)</script>' })).toEqual(['A2']);
    expect(await messages({ event: 'SEND_MESSAGE' })).toEqual(['A3']);
    expect(await messages({ destination: 'webhook:instance/loja' })).toEqual(['A3']);
    expect(await messages({ outcome: 'delivered', instance: 'loja' })).toEqual(['A3', 'A1']);
    expect(await messages({}, 2)).toEqual(['A3', 'A2']);
    expect((await log.search({}, 2)).more).toBe(true);
    expect(
      await messages({ since: now - 10 * 365 * 24 * HOUR, until: now + 10 * 365 * 24 * HOUR }),
    ).toHaveLength(3);
    expect(await messages({ until: now - HOUR })).toEqual([]);
    expect(await messages({ message: 'x'.repeat(10_000) })).toEqual([]);
  });

  test('a search for a few goes through the log a few times, however many are not what they were logged as', async () => {
    for (let place = 0; place < 600; place++) attempt(delivery({ id: `U${place}` }), FAILED);
    await renew();
    let looks = 0;
    const holding: LogStore['holding'] = (...asked) => {
      looks++;
      return store.holding(...asked);
    };
    const counted: LogStore = Object.assign(Object.create(store), { holding });
    const counting = new DeliveryLog({ store: counted, states: new StoredStates(harness.store) });
    expect((await counting.search({ outcome: 'parked' }, 1)).deliveries).toEqual([]);
    expect(looks).toBeLessThan(20);
    expect(await counting.search({ outcome: 'unknown' }, 1)).toMatchObject({
      deliveries: [{ message: 'U599' }],
      more: true,
    });
  });

  test('a slow attempt that ended before its parking was stored, and said so, has the outcome of the attempt', async () => {
    const [slow, failed] = [delivery({ id: 'SLOW' }), delivery({ id: 'FAILED' })];
    attempt(slow, DELIVERED, { at: now - 5000, durationMs: 2000 });
    attempt(failed, FAILED, { at: now - 5000, durationMs: 2000 });
    for (const each of [slow, failed]) notes.parked(each, 'slow');
    await renew();
    expect(await search({ message: 'SLOW' })).toMatchObject([{ outcome: 'delivered', reason: '' }]);
    expect(await messages({ outcome: 'delivered' })).toEqual(['SLOW']);
    expect(await messages({ outcome: 'unknown' })).toEqual(['FAILED']);
  });

  test('what several workers wrote at the same time comes the newest first, and no page leaves anything out', async () => {
    const others = new LogWriter({ limits: LIMITS, onSkipped: () => {}, onError: () => {}, flushMs: 1 });
    others.open(store);
    const theirs = new LogNotes({ sink: others, slowAfterMs: 1000, withBodies: true });
    const begun = now - 60_000;
    for (let place = 0; place < 20; place++) {
      now = begun + place * 700;
      const made = delivery({ id: `M${place}` });
      const of = place % 3 === 0 ? theirs : notes;
      of.attemptEnded(made, { attempt: 1, at: now, durationMs: 5, outcome: DELIVERED });
    }
    await Promise.all([renew(), others.close()]);
    const newestFirst = Array.from({ length: 20 }, (_, place) => `M${19 - place}`);
    expect(await messages({})).toEqual(newestFirst);
    expect(await messages({}, 4)).toEqual(newestFirst.slice(0, 4));
    expect((await log.recent({}, 4)).map(({ message }) => message)).toEqual(newestFirst.slice(0, 4));
    const [last] = (await search({}, 4)).slice(-1);
    expect((await messages({ until: last?.at ?? 0 }, 100)).slice(-16)).toEqual(newestFirst.slice(4));
  });

  test('tells a delivery’s story over chunks of several workers: failed, parked, delivered', async () => {
    const one = delivery({ id: 'B1' });
    attempt(
      one,
      { kind: 'failed', code: 'HTTP_503', status: 503, answer: 'busy\u001b[31m\r\n' },
      { at: now - 9000 },
    );
    await renew();
    attempt(one, FAILED, { attempt: 2, at: now - 5000 });
    await renew();
    attempt(one, DELIVERED, { attempt: 3, at: now - 1000 });
    await renew();
    const [found] = await search({ message: 'B1' });
    expect(found).toMatchObject({ outcome: 'delivered', id: one.id });
    expect(found?.records.map(({ what, attempt: number, status }) => [what, number, status])).toEqual([
      ['failed', 1, 503],
      ['failed', 2, 0],
      ['delivered', 3, 200],
    ]);
    expect(found?.records[0]?.answer).toBe('busy\u001b[31m\r\n');
    expect(await messages({ outcome: 'parked' })).toEqual([]);
    expect(await messages({ outcome: 'delivered' })).toEqual(['B1']);
    expect(await messages({ reason: 'HTTP_503' })).toEqual(['B1']);
    expect((await log.find(one.id))?.records).toHaveLength(3);
    expect(await log.find('dlv_unknown')).toBeUndefined();
  });

  test('says where a delivery lies now: parked, dead, or nowhere that it knows of', async () => {
    const [parked, dead, gone] = [delivery({ id: 'C1' }), delivery({ id: 'C2' }), delivery({ id: 'C3' })];
    for (const each of [parked, dead, gone]) attempt(each, FAILED);
    await harness.park(parked);
    await harness.bury([dead]);
    await renew();
    const outcomes = Object.fromEntries((await search({})).map(({ message, outcome }) => [message, outcome]));
    expect(outcomes).toEqual({ C1: 'parked', C2: 'dead', C3: 'unknown' });
    expect(await messages({ outcome: 'parked' })).toEqual(['C1']);
    const [found] = await search({ message: 'C2' });
    expect(found?.reason).toBe('rejected');
    expect((found && (await log.body(found)))?.toString()).toContain('"C2"');
  });

  test('keeps what was given up on, and what nobody wanted', async () => {
    const dead = delivery({ id: 'D1' });
    attempt(dead, REJECTED);
    notes.deadLettered(
      { id: dead.id, destination: webhook.id, event: 'messages.upsert', instance: 'loja' },
      'rejected',
    );
    notes.unwanted(delivery({ id: 'D2' }).envelope);
    await renew();
    expect((await search({ outcome: 'dead' })).map(({ id, reason }) => [id, reason])).toEqual([
      [dead.id, 'rejected'],
    ]);
    const [unwanted] = await search({ message: 'D2' });
    expect(unwanted).toMatchObject({ outcome: 'discarded', reason: 'no-destination', destination: '' });
  });

  test('keeps bodies of what was delivered, once for all destinations of an event', async () => {
    attempt(delivery({ id: 'E1' }), DELIVERED);
    attempt(delivery({ id: 'E1' }, other), DELIVERED);
    await renew();
    const found = await search({ message: 'E1' });
    expect(found).toHaveLength(2);
    for (const each of found) expect((await log.body(each))?.toString()).toContain('"E1"');
    const fields = await redis.hkeys(`{${harness.prefix}}:log:${found[0]?.bodyIn}`);
    expect(fields.filter((name) => name.startsWith('body:'))).toHaveLength(1);
  });

  test('stays within its limits of count, of bytes and of time, and says since when it knows', async () => {
    const fill = async (limits: LogLimits): Promise<number> => {
      for (let round = 0; round < 6; round++) {
        for (let index = 0; index < 400; index++) attempt(delivery({ id: `F${round}-${index}` }), DELIVERED);
        await renew(limits);
      }
      const { coverage } = await log.search({ message: 'nobody' }, 1);
      expect(coverage.since).toBeLessThanOrEqual(Date.now());
      expect(notSeen(coverage, {})).toContain('not seen by the relay since');
      return Number(await redis.hget(`{${harness.prefix}}:log:sums`, 'rows'));
    };
    await renew({ ...LIMITS, maxRows: 1000 });
    expect(await fill({ ...LIMITS, maxRows: 1000 })).toBe(800);
    const bytes = Number(await redis.hget(`{${harness.prefix}}:log:sums`, 'bytes'));
    await fill({ ...LIMITS, maxBytes: bytes });
    expect(Number(await redis.hget(`{${harness.prefix}}:log:sums`, 'bytes'))).toBeLessThanOrEqual(bytes);
    expect(await store.trim({ ...LIMITS, maxAgeMs: -HOUR }, 100)).toBeGreaterThan(0);
    expect(await search({})).toEqual([]);
    expect(await redis.hget(`{${harness.prefix}}:log:sums`, 'bytes')).toBe('0');
  });

  test('finds in chunks that are summed up, and in those of 1.0.0, which are not', async () => {
    const alias = (index: number): string => `9900${index}@lid`;
    for (let index = 0; index < 1100; index++)
      attempt(
        delivery({ id: `S${index}`, chat: `5511${index}@s.whatsapp.net`, alias: alias(index) }),
        DELIVERED,
      );
    await renew();
    const looked = async (): Promise<readonly string[]> => {
      const [found] = await search({ message: 'S450' });
      const byOthers = [
        { id: found?.id ?? '' },
        { chat: '+55 11 450' },
        { chat: alias(450) },
        { message: 'no' },
      ];
      return (await Promise.all(byOthers.map((filter) => messages(filter)))).flat();
    };
    const chunks = await store.chunks(0, Number.MAX_SAFE_INTEGER);
    const keys = chunks.map((chunk) => `{${harness.prefix}}:log:${chunk}`);
    const summed = await Promise.all(keys.map((key) => redis.hexists(key, 'summary:message')));
    // One of them is too short.
    expect(summed.sort()).toEqual([0, 1]);
    expect(await looked()).toEqual(['S450', 'S450', 'S450']);
    for (const key of keys) await redis.hdel(key, 'summary:delivery', 'summary:message', 'summary:chat');
    expect(await looked()).toEqual(['S450', 'S450', 'S450']);
  });

  test('a chunk that is summed up is not read for what its summary does not hold', async () => {
    for (let index = 0; index < 300; index++) attempt(delivery({ id: `T${index}` }), DELIVERED);
    await renew();
    const [chunk] = await store.chunks(0, Number.MAX_SAFE_INTEGER);
    await redis.hset(`{${harness.prefix}}:log:${chunk}`, 'summary:message', Buffer.alloc(500));
    expect(await messages({ message: 'T7' })).toEqual([]);
    expect(await messages({ chat: '5511988887777', message: 'T7' })).toEqual([]);
  });

  test('counts the bytes of what it adds once, however often a chunk is added to', async () => {
    const sums = async (): Promise<number> =>
      Number(await redis.hget(`{${harness.prefix}}:log:sums`, 'bytes'));
    const write = (name: string, summary: string) => ({
      ...{ chunk: 'x', from: now, to: now, rows: 1, keepMs: 60_000, skipped: 0 },
      ...{ columns: ['what', '1'], summaries: [name, summary], bodies: ['body:y', 'body'] },
    });
    await store.write(write('summary:chat', 'one'));
    const before = await sums();
    await store.write(write('summary:chat', 'two'));
    expect((await sums()) - before).toBe(1);
    const [fields] = await store.fields(['x'], ['what', 'body:y']);
    expect(fields?.map(String)).toEqual(['11', 'body']);
    expect(await redis.hget(`{${harness.prefix}}:log:x`, 'summary:chat')).toBe('two');
  });

  test('counts what was skipped within the time that is asked for', async () => {
    const write = {
      chunk: 'x',
      from: now,
      to: now,
      rows: 1,
      keepMs: 60_000,
      skipped: 7,
      columns: [],
      summaries: [],
      bodies: [],
    };
    await store.write(write);
    expect((await store.coverage(now - 1000, now)).skipped).toBe(7);
    expect((await store.coverage(now - 9 * HOUR, now - 5 * HOUR)).skipped).toBe(0);
  });

  test('everything lies in the slot of the prefix, and expires by itself', async () => {
    attempt(delivery({ id: 'G1' }), DELIVERED);
    await renew();
    const keys = (await harness.keyNames()).filter((name) => name.includes(':log'));
    for (const key of keys) expect(key.startsWith(`{${harness.prefix}}:log`)).toBe(true);
    const [chunk] = await eventually(async () => {
      const chunks = await store.chunks(0, Number.MAX_SAFE_INTEGER);
      return chunks.length > 0 ? chunks : undefined;
    }, 'a chunk');
    expect(await redis.ttl(`{${harness.prefix}}:log:${chunk}`)).toBeGreaterThan(7 * 24 * 3600);
  });
});
