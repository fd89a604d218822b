import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import {
  createAppend,
  decodePublished,
  type StreamKeys,
  streamKeys,
} from '../../src/destinations/websocket/stream';
import { WebSocketDestination } from '../../src/destinations/websocket/websocket-destination';
import { MODULES } from '../../src/modules';
import type { Delivery, Destination, DestinationId } from '../../src/pipeline/delivery';
import { connectRedis } from '../../src/redis/client';
import { PrivateRedis } from '../support/servers/private-services';
import { Happenings, within } from '../support/signals/signals';
import { deliveryTo, eventBody } from '../support/values/events';
import { destinationSuite } from './destination-suite';

const WITHIN_MS = 15_000;

destinationSuite('websocket', async () => {
  const own = await PrivateRedis.start();
  const { client, untilReady } = await connectTo(own.uri);
  const keys = streamKeys('test', undefined);
  const destination = new WebSocketDestination(
    {
      id: 'websocket:global' as DestinationId,
      keys,
      retention: { maxAgeMs: 60_000, maxEvents: 1000, maxBytes: 50_000_000 },
      maxAttempts: 10,
      shares: [],
      limits: {},
      stripApikey: false,
    },
    createAppend(client),
  );
  let isPaused = false;
  return {
    destination,
    arrivals: async () =>
      (await client.xrange(keys.stream, '-', '+')).map(([, [, head = '[]', , body = '']]) => ({
        identity: (JSON.parse(head) as string[])[0],
        content: Buffer.from(body),
      })),
    hang: () => {
      isPaused = true;
      own.pause();
    },
    leave: () => own.stop(),
    comeBack: async () => {
      await own.restart();
      await untilReady();
    },
    largestBytes: 20_000_000,
    // That Redis is away is never the destination's fault.
    isOwnFault: true,
    close: async () => {
      if (isPaused) own.resume();
      client.disconnect();
      await own.dispose();
    },
  };
});

/** A connection as workers have it: while it is broken, what is asked fails at once. */
async function connectTo(uri: string): Promise<{ client: Redis; untilReady: () => Promise<unknown> }> {
  const { config } = MODULES.loadConfig(__dirname, { REDIS_URI: uri });
  const client: Redis = connectRedis(config.redis, 'commands', () => {});
  const untilReady = (): Promise<unknown> =>
    client.status === 'ready' ? Promise.resolve() : once(client, 'ready');
  await untilReady();
  return { client, untilReady };
}

/** Answers and connections, which `http-destination-suite.ts` is about, there are none here: delivered is what the stream holds. */
describe('the websocket destination', () => {
  let redis: Redis;
  let keys: StreamKeys;
  const id = 'websocket:global' as DestinationId;
  const retention = { maxAgeMs: 60_000, maxEvents: 5, maxBytes: 50_000_000 };

  beforeEach(() => {
    redis = new Redis(process.env['REDIS_URI'] ?? '');
    keys = streamKeys(`test-${randomBytes(6).toString('hex')}`, undefined);
  });
  afterEach(async () => {
    await redis.del(keys.stream, keys.meta);
    redis.disconnect();
  });

  const create = (client = redis, kept = retention, stripApikey = false): Destination =>
    new WebSocketDestination(
      { id, keys, retention: kept, maxAttempts: 10, shares: [], limits: {}, stripApikey },
      createAppend(client),
    );
  const deliver = (destination: Destination, body: Buffer) => {
    const delivery: Delivery = deliveryTo(destination, body);
    return {
      delivery,
      outcome: within(destination.start(delivery, 1).outcome, WITHIN_MS, () => 'an outcome'),
    };
  };
  const stored = async (): Promise<{ id: string; deliveryId: string; event: string; body: string }[]> =>
    (await redis.xrange(keys.stream, '-', '+')).map(([entry, [, head = '[]', , body = '']]) => {
      const [deliveryId = '', event = ''] = JSON.parse(head) as string[];
      return { id: entry, deliveryId, event, body };
    });

  test('delivered is what the stream holds, under the delivery’s identity, the same at every attempt', async () => {
    const destination = create();
    const { delivery, outcome } = deliver(destination, eventBody(1));
    expect(await outcome).toEqual({ kind: 'delivered' });
    expect(await destination.start(delivery, 2).outcome).toEqual({ kind: 'delivered' });
    await deliver(destination, eventBody(2)).outcome;
    const [first, again, other] = await stored();
    expect(first).toMatchObject({ deliveryId: delivery.id, event: 'messages.upsert' });
    expect(again?.deliveryId).toBe(delivery.id);
    expect(other?.deliveryId).not.toBe(delivery.id);
  });

  test('the body is the core API’s, without a destination, and without the key where that is asked for', async () => {
    await deliver(create(), eventBody(1, { apikey: 'K' })).outcome;
    await deliver(create(redis, retention, true), eventBody(1, { apikey: 'K' })).outcome;
    const [whole, stripped] = await stored();
    expect(Object.keys(JSON.parse(whole?.body ?? ''))).toEqual([
      'event',
      'instance',
      'data',
      'server_url',
      'date_time',
      'sender',
      'apikey',
    ]);
    expect(stripped?.body).not.toContain('apikey');
  });

  test('a body of 20 MB arrives whole, and is published as it is stored', async () => {
    const listener = new Redis(process.env['REDIS_URI'] ?? '');
    const published = new Happenings<Buffer>();
    listener.on('messageBuffer', (_channel: Buffer, message: Buffer) => published.add(message));
    await listener.subscribe(keys.stream);
    const destination = create();
    const { delivery, outcome } = deliver(
      destination,
      eventBody(1, { data: { message: { conversation: 'ã\n '.repeat(5_000_000) } } }),
    );
    expect(await outcome).toEqual({ kind: 'delivered' });
    const [message = Buffer.alloc(0)] = await published.count(1);
    const [entry] = await stored();
    const { body, ...head } = decodePublished(message);
    expect(head).toEqual({
      id: entry?.id,
      deliveryId: delivery.id,
      event: 'messages.upsert',
      previous: '0-0',
      born: entry?.id,
    });
    expect(body.toString('utf8') === entry?.body).toBe(true);
    listener.disconnect();
  });

  test('the newest stay: bounded by count and by bytes, and what was dropped is known', async () => {
    const destination = create();
    for (let number = 0; number < 8; number++) await deliver(destination, eventBody(number)).outcome;
    const entries = await stored();
    expect(entries.map(({ body }) => JSON.parse(body).data.key.id)).toEqual([
      '3EB03',
      '3EB04',
      '3EB05',
      '3EB06',
      '3EB07',
    ]);
    const small = create(redis, { ...retention, maxBytes: 10 });
    await deliver(small, eventBody(9)).outcome;
    expect((await stored()).map(({ body }) => JSON.parse(body).data.key.id)).toEqual(['3EB09']);
    const { bytes, trimmed } = await redis.hgetall(keys.meta);
    expect(Number(bytes)).toBe((await stored())[0]?.body.length);
    expect(trimmed).toBe(entries.at(-1)?.id);
    for (const key of [keys.stream, keys.meta]) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });

  test('what is too old goes with the next event', async () => {
    await redis.xadd(keys.stream, '1000-0', 'h', '["dlv_old","call"]', 'b', '{}');
    await redis.hset(keys.meta, { bytes: 2, born: '1000-0', last: '1000-0' });
    await deliver(create(), eventBody(1)).outcome;
    expect((await stored()).map(({ event }) => event)).toEqual(['messages.upsert']);
    expect(await redis.hget(keys.meta, 'trimmed')).toBe('1000-0');
  });

  test('each message says which one it follows, and in which stream: also after that was flushed', async () => {
    const listener = new Redis(process.env['REDIS_URI'] ?? '');
    const published = new Happenings<ReturnType<typeof decodePublished>>();
    listener.on('messageBuffer', (_channel: Buffer, message: Buffer) =>
      published.add(decodePublished(message)),
    );
    await listener.subscribe(keys.stream);
    try {
      for (const number of [1, 2, 3]) await deliver(create(), eventBody(number)).outcome;
      await redis.del(keys.stream, keys.meta);
      await deliver(create(), eventBody(4)).outcome;
      // Only the stream has expired: it is still the same one.
      await redis.del(keys.stream);
      await deliver(create(), eventBody(5)).outcome;
      const [a, b, c, d, e] = await published.count(5);
      expect([a, b, c, d, e].map((each) => each?.previous)).toEqual(['0-0', a?.id, b?.id, '0-0', d?.id]);
      expect([a, b, c, d, e].map((each) => each?.born)).toEqual([a?.id, a?.id, a?.id, d?.id, d?.id]);
    } finally {
      listener.disconnect();
    }
  });

  test('ids never go back while a stream is known, although the clock does', async () => {
    const ahead = `${Date.now() + 3_600_000}-5`;
    await redis.hset(keys.meta, { bytes: 2, born: ahead, last: ahead });
    for (const number of [1, 2]) await deliver(create(), eventBody(number)).outcome;
    const [time] = ahead.split('-');
    expect((await stored()).map((entry) => entry.id)).toEqual([`${time}-6`, `${time}-7`]);
  });

  test('ids of two streams that began in the same millisecond differ', async () => {
    const bases = new Set<string>();
    for (let round = 0; round < 5; round++) {
      await redis.del(keys.stream, keys.meta);
      await deliver(create(), eventBody(1)).outcome;
      bases.add((await stored())[0]?.id.split('-')[1] ?? '');
    }
    expect(bases.size).toBeGreaterThan(1);
  });

  test.each([
    ['timeout', 'TIMEOUT'],
    ['shutdown', 'SHUTDOWN'],
  ] as const)(
    'that Redis hangs is our own fault: an abort by %s is an interruption',
    async (reason, code) => {
      const own = await PrivateRedis.start();
      const client = new Redis(own.uri);
      await client.ping();
      own.pause();
      try {
        const destination = create(client);
        const running = destination.start(deliveryTo(destination, eventBody(1)), 1);
        running.abort(reason);
        running.abort('shutdown');
        expect(await within(running.outcome, WITHIN_MS, () => 'the end')).toEqual({
          kind: 'interrupted',
          code,
        });
      } finally {
        own.resume();
        client.disconnect();
        await own.dispose();
      }
    },
  );

  test('that Redis is away is an interruption, which spends no attempt', async () => {
    const own = await PrivateRedis.start();
    const { client, untilReady } = await connectTo(own.uri);
    const destination = create(client);
    expect(await deliver(destination, eventBody(1)).outcome).toEqual({ kind: 'delivered' });
    await own.stop();
    expect(await deliver(destination, eventBody(2)).outcome).toMatchObject({ kind: 'interrupted' });
    await own.restart();
    await untilReady();
    expect(await deliver(destination, eventBody(3)).outcome).toEqual({ kind: 'delivered' });
    client.disconnect();
    await own.dispose();
  });

  test('an abort after the end does nothing', async () => {
    const destination = create();
    const running = destination.start(deliveryTo(destination, eventBody(1)), 1);
    const outcome = await running.outcome;
    running.abort('timeout');
    expect(await running.outcome).toBe(outcome);
    await destination.close();
  });
});
