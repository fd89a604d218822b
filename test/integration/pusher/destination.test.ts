import Pusher from 'pusher';
import type PusherClient from 'pusher-js';
import type { Options } from 'pusher-js';
import {
  oversizeHandler,
  type Reference,
  type StoreBody,
} from '../../../src/destinations/pusher/oversize/stub';
import type { PusherDestination } from '../../../src/destinations/pusher/pusher-destination';
import { StoreUnavailableError } from '../../../src/errors';
import type { Outcome } from '../../../src/pipeline/delivery';
import { connectClient, type SeenEvent, subscribe } from '../../support/pusher/client';
import {
  CREDENTIALS,
  type DestinationOptions,
  MASTER_KEY,
  pusherDestination,
} from '../../support/pusher/destination';
import type { PusherApp } from '../../support/pusher/rules';
import { PusherServer } from '../../support/pusher/server';
import { deferred, Happenings, turns, within } from '../../support/signals/signals';
import { deliveryTo, envelopeOf, eventBody, fixture, fixtureNames } from '../../support/values/events';

const WITHIN_MS = 15_000;

describe('the Pusher destination', () => {
  let app: PusherApp;
  let server: PusherServer;
  let destination: PusherDestination;
  let created: PusherDestination[];
  let clients: PusherClient[];
  beforeEach(async () => {
    app = { id: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
    server = await PusherServer.start([app]);
    created = [];
    clients = [];
    destination = create();
  });
  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await Promise.all(created.map((each) => each.close()));
    await server.stop();
  });

  function create(options: DestinationOptions = {}): PusherDestination {
    const made = pusherDestination(`http://127.0.0.1:${server.port}`, options);
    created.push(made);
    return made;
  }

  function deliver(body: Buffer = eventBody(1)): Promise<Outcome> {
    return within(destination.start(deliveryTo(destination, body)).outcome, WITHIN_MS, () => 'an outcome');
  }

  /** Everything that a real client, subscribed to `channel`, gets. */
  async function listen(channel: string, options: Partial<Options> = {}): Promise<Happenings<SeenEvent>> {
    const client = connectClient(server, app, options);
    clients.push(client);
    const seen = new Happenings<SeenEvent>();
    const subscribed = await subscribe(client, channel);
    subscribed.bind_global((event: string, data: unknown) => {
      if (!event.startsWith('pusher:')) seen.add({ event, data });
    });
    return seen;
  }

  const kinds = (outcomes: readonly Outcome[]) => outcomes.map(({ kind }) => kind);
  const numbered = (count: number, instance = 'loja-centro') =>
    Array.from({ length: count }, (_, number) => eventBody(number, { instance }));
  const numberOf = (data: string) => /3EB0(\d+)/.exec(data)?.[1];

  describe('what is sent', () => {
    test('a subscriber gets the documented body, byte for byte, with the app id as destination', async () => {
      const seen = await listen('loja-centro');
      expect(await deliver()).toEqual({ kind: 'delivered', status: 200 });
      const [event] = await seen.count(1);
      expect(event?.event).toBe('messages.upsert');
      expect(event?.data).toMatchObject({ event: 'messages.upsert', destination: '1234567', apikey: null });
      expect(Object.keys(event?.data as object)).toEqual(
        'event instance data destination date_time sender server_url apikey'.split(' '),
      );
    });

    test('the picture of a QR code is left out, here alone; the variant without a code passes', async () => {
      const body = fixture('qrcode.updated.json');
      expect(await deliver(body)).toMatchObject({ kind: 'delivered' });
      const { data } = JSON.parse(server.published.all[0]?.data ?? '') as { data: { qrcode: object } };
      expect(Object.keys(data.qrcode)).toEqual(['instance', 'pairingCode', 'code']);
      expect(body.includes('"base64"')).toBe(true);

      const limit = { message: 'QR code limit reached, please login again', statusCode: 500 };
      expect(await deliver(eventBody(2, { event: 'qrcode.updated', data: limit }))).toMatchObject({
        kind: 'delivered',
      });
      expect(JSON.parse(server.published.all[1]?.data ?? '')).toMatchObject({ data: limit });
    });

    test('every event of the contract is taken, or refused for its size alone', async () => {
      const bodies = fixtureNames()
        .filter((name) => !name.startsWith('transport.') && name !== 'error.http-only.json')
        .map((name) => Buffer.from(JSON.stringify(JSON.parse(fixture(name).toString('utf8')))));
      const outcomes = await Promise.all(bodies.map(deliver));
      const seen = bodies.map((body, index) => ({
        event: envelopeOf(body).event,
        isLarge: body.length > 10_200 && !body.includes('"qrcode"'),
        kind: outcomes[index]?.kind,
      }));
      expect(seen).toEqual(seen.map((each) => ({ ...each, kind: each.isLarge ? 'rejected' : 'delivered' })));
      expect(seen.filter(({ isLarge }) => isLarge).length).toBeGreaterThan(0);
    });

    test('private, presence and encrypted channels, by the prefix', async () => {
      const library = new Pusher({ ...CREDENTIALS, cluster: 'x', encryptionMasterKeyBase64: MASTER_KEY });
      for (const channelPrefix of ['private-', 'presence-', 'private-encrypted-']) {
        const seen = await listen(`${channelPrefix}loja-centro`, {
          channelAuthorization: {
            customHandler: ({ socketId, channelName }, callback) =>
              callback(null, library.authorizeChannel(socketId, channelName, { user_id: 'ann' })),
          } as NonNullable<Options['channelAuthorization']>,
        });
        destination = create({ options: { channelPrefix } });
        await deliver(eventBody(1, { data: 'olá 😀' }));
        expect((await seen.count(1))[0]?.data).toMatchObject({ data: 'olá 😀' });
      }
      expect(server.published.all.at(-1)?.data).toMatch(/^{"nonce":"[^"]+","ciphertext":"[^"]+"}$/);
    });
  });

  describe('names', () => {
    test.each([
      ['an instance with a space', { instance: 'loja centro' }, 'letters, digits'],
      ['an instance with an accent', { instance: 'loja-são' }, '"ã"'],
      ['an instance too long', { instance: 'x'.repeat(165) }, 'at most 164'],
      ['an event too long in bytes', { event: 'é'.repeat(101) }, 'at most 200 bytes'],
      ['an event too long', { event: 'x'.repeat(201) }, 'at most 200'],
    ])('%s is dead-lettered with the rule, and nothing is sent', async (_what, names, rule) => {
      expect(await deliver(eventBody(1, names))).toEqual({
        kind: 'rejected',
        code: 'NAME_REFUSED',
        answer: expect.stringContaining(rule),
      });
      expect(server.requests.all).toHaveLength(0);
    });

    test('an instance whose channel would be taken for an encrypted one is refused', async () => {
      destination = create({ options: { channelPrefix: 'private-' } });
      expect(await deliver(eventBody(1, { instance: 'encrypted-loja' }))).toMatchObject({ kind: 'rejected' });
    });
  });

  describe('batches', () => {
    test('what comes together is sent by tens', async () => {
      const outcomes = await Promise.all(numbered(30).map(deliver));
      expect(kinds(outcomes)).toEqual(outcomes.map(() => 'delivered'));
      expect(server.requests.all.map(({ events }) => events)).toEqual([10, 10, 10]);
    });

    test('an event that is alone does not wait for others longer than the linger', async () => {
      destination = create({ app: { lingerMs: 0 } });
      await deliver();
      expect(server.requests.all.map(({ events }) => events)).toEqual([1]);
    });

    test('events of one channel never overtake each other, those of others need not wait for them', async () => {
      server.misbehaviour = ({ body }) => (body.includes('"channel":"slow"') ? { lateMs: 30 } : undefined);
      const bodies = [...numbered(50, 'slow'), ...numbered(50, 'fast')];
      const outcomes = await Promise.all(bodies.map(deliver));
      expect(kinds(outcomes)).toEqual(outcomes.map(() => 'delivered'));
      for (const channel of ['slow', 'fast']) {
        const numbers = server.published.all
          .filter((event) => event.channel === channel)
          .map(({ data }) => numberOf(data));
        expect(numbers).toEqual(Array.from({ length: 50 }, (_, number) => String(number)));
      }
    });

    test('one that Pusher blames fails alone; the other nine arrive, in order', async () => {
      // The plan of this app takes less than is configured here.
      const bodies = numbered(10);
      bodies[6] = eventBody(6, { data: { key: { id: '3EB06' }, text: 'x'.repeat(11_000) } });
      destination = create({ options: { maxEventBytes: 20_000 } });
      const outcomes = await Promise.all(bodies.map(deliver));
      expect(kinds(outcomes).map((kind) => kind === 'delivered')).toEqual(bodies.map((_, n) => n !== 6));
      expect(outcomes[6]).toEqual({
        kind: 'rejected',
        code: 'HTTP_413',
        status: 413,
        reason: 'oversize',
        answer: expect.stringContaining('10240'),
      });
      const numbers = server.published.all.map(({ data }) => numberOf(data));
      expect(numbers).toEqual(['0', '1', '2', '3', '4', '5', '7', '8', '9']);
    });

    test('all of them poisoned: each is told so, and none is sent for ever', async () => {
      destination = create({ options: { maxEventBytes: 20_000 } });
      const bodies = Array.from({ length: 10 }, (_, n) =>
        eventBody(n, { data: `${n}${'x'.repeat(11_000)}` }),
      );
      const outcomes = await Promise.all(bodies.map(deliver));
      expect(kinds(outcomes)).toEqual(outcomes.map(() => 'rejected'));
      expect(server.requests.all.length).toBeLessThanOrEqual(19);
    });

    test('a failure of the request is one of each of its events', async () => {
      server.misbehaviour = () => ({ status: 503, headers: { 'retry-after': '7' } });
      const outcomes = await Promise.all(numbered(10).map(deliver));
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ kind: 'failed', code: 'HTTP_503', retryAfterMs: 7000 });
      expect(server.requests.all).toHaveLength(1);
    });

    test('one that is aborted ends at once; the others of its request go on', async () => {
      server.misbehaviour = () => ({ lateMs: 50 });
      const running = numbered(10).map((body) => destination.start(deliveryTo(destination, body)));
      await server.requests.count(1);
      running[0]?.abort('timeout');
      const outcomes = await Promise.all(running.map(({ outcome }) => outcome));
      expect(outcomes[0]).toMatchObject({ kind: 'failed', code: 'TIMEOUT' });
      expect(kinds(outcomes.slice(1))).toEqual(Array.from({ length: 9 }, () => 'delivered'));
    });

    test('waiting in line takes no time from the request', async () => {
      destination = create({ app: { timeoutMs: 100 } });
      server.misbehaviour = () => 'hang';
      const running = numbered(11).map((body) => destination.start(deliveryTo(destination, body)));
      await server.requests.count(1);
      const look = (now: number) => running.map((each) => each.look?.(now));
      const ended: unknown[] = [];
      for (const { outcome } of running) void outcome.then((how) => ended.push(how));
      look(0);
      look(99);
      await turns();
      expect(ended).toEqual([]);
      look(100);
      const outcomes = await Promise.all(running.map(({ outcome }) => outcome));
      expect(outcomes[0]).toMatchObject({ kind: 'failed', code: 'TIMEOUT' });
      expect(outcomes[10]).toEqual({ kind: 'interrupted', code: 'NOT_SENT' });
    });

    test('one that only ever waited in line was not tried: it spends no attempt', async () => {
      server.misbehaviour = () => 'hang';
      const running = numbered(11).map((body) => destination.start(deliveryTo(destination, body)));
      await server.requests.count(1);
      for (const each of running) each.abort('timeout');
      const outcomes = await Promise.all(running.map(({ outcome }) => outcome));
      expect(outcomes[10]).toEqual({ kind: 'interrupted', code: 'NOT_SENT' });
      expect(outcomes.slice(0, 10)).toEqual(
        Array.from({ length: 10 }, () => ({ kind: 'failed', code: 'TIMEOUT', overloaded: true })),
      );
    });

    test('a shutdown while Pusher blames events ends all of them', async () => {
      destination = create({ options: { maxEventBytes: 20_000 } });
      const blamed = new Happenings<number>();
      server.misbehaviour = ({ events }) => {
        blamed.add(events);
        return events === 10 ? undefined : 'hang';
      };
      const bodies = Array.from({ length: 10 }, (_, n) => eventBody(n, { data: 'x'.repeat(11_000 + n) }));
      const running = bodies.map((body) => destination.start(deliveryTo(destination, body)));
      await server.requests.count(2);
      for (const each of running) each.abort('shutdown');
      const outcomes = await within(
        Promise.all(running.map(({ outcome }) => outcome)),
        1000,
        () => 'the end',
      );
      for (const outcome of outcomes) expect(outcome).toEqual({ kind: 'interrupted', code: 'SHUTDOWN' });
      expect(blamed.all).toEqual([10, 5]);
    });
  });

  describe('answers', () => {
    test("a wrong secret is rejected at once, with Pusher's own words", async () => {
      destination = create({ credentials: { ...CREDENTIALS, secret: 'wrong' } });
      const answer = expect.stringContaining('Invalid signature');
      expect(await deliver()).toEqual({ kind: 'rejected', code: 'HTTP_401', status: 401, answer });
    });

    test.each(['overQuota', 'disabled'] as const)('%s is waited out with the long delay', async (what) => {
      app[what] = true;
      const outcomes = await Promise.all(numbered(10).map(deliver));
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ kind: 'failed', code: 'HTTP_403', retryAfterMs: 300_000 });
      expect(server.requests.all).toHaveLength(1);
    });
  });

  describe('size', () => {
    /** The largest body that is sent, and one byte more. */
    function bodies(limit: number): [fits: Buffer, tooLarge: Buffer] {
      const empty = eventBody(1, { data: '' });
      const room = limit - empty.length - ',"destination":"1234567"'.length;
      return [eventBody(1, { data: 'x'.repeat(room) }), eventBody(1, { data: 'x'.repeat(room + 1) })];
    }

    test('what Pusher takes is sent, one byte more is not', async () => {
      const [fits, tooLarge] = bodies(10_240);
      expect(await deliver(fits)).toMatchObject({ kind: 'delivered' });
      expect(Buffer.byteLength(server.published.all[0]?.data ?? '')).toBe(10_240);
      expect(await deliver(tooLarge)).toEqual({
        kind: 'rejected',
        code: 'OVERSIZE',
        reason: 'oversize',
        answer: expect.stringMatching(/^10241 bytes; Pusher takes 10240/),
      });
      expect(server.requests.all).toHaveLength(1);
    });

    test('on encrypted channels it is the encrypted size that counts', async () => {
      destination = create({ options: { channelPrefix: 'private-encrypted-' } });
      // {"nonce":"32 characters","ciphertext":"…"}: 60 bytes beside the ciphertext, which is 16 bytes more in base64.
      const [fits, tooLarge] = bodies(Math.floor((10_240 - 60) / 4) * 3 - 16);
      expect(await deliver(fits)).toMatchObject({ kind: 'delivered' });
      expect(Buffer.byteLength(server.published.all[0]?.data ?? '')).toBe(10_240);
      expect(await deliver(tooLarge)).toMatchObject({ kind: 'rejected', code: 'OVERSIZE' });
    });

    test('with references a stub with a link is sent instead', async () => {
      const kept: Buffer[] = [];
      const store: StoreBody = async (_delivery, body) => {
        kept.push(body);
        return { url: 'https://relay.example.test/events/1?signature=x', expires: 1_800_000_000 };
      };
      destination = create({ options: { oversize: oversizeHandler(store) } });
      const seen = await listen('loja-centro');
      const [, tooLarge] = bodies(10_240);
      expect(await deliver(tooLarge)).toMatchObject({ kind: 'delivered' });
      expect((await seen.count(1))[0]).toEqual({
        event: 'messages.upsert',
        data: {
          event: 'messages.upsert',
          instance: 'loja-centro',
          date_time: '2025-11-03T14:22:07.415Z',
          reference: {
            url: 'https://relay.example.test/events/1?signature=x',
            bytes: 10_241,
            expires: '2027-01-15T08:00:00.000Z',
          },
        },
      });
      expect(kept.map(({ length }) => length)).toEqual([10_241]);
    });

    test('an attempt may be aborted while the event is being kept; nothing is sent then', async () => {
      const kept = deferred<Reference>();
      destination = create({ options: { oversize: oversizeHandler(() => kept.promise) } });
      const running = destination.start(deliveryTo(destination, bodies(10_240)[1]));
      running.abort('shutdown');
      expect(await within(running.outcome, WITHIN_MS, () => 'the end')).toEqual({
        kind: 'interrupted',
        code: 'SHUTDOWN',
      });
      kept.resolve({ url: 'https://relay.example.test/', expires: 1 });
      await deliver(eventBody(2));
      expect(server.published.all).toHaveLength(1);
    });

    test('what cannot be kept for our own fault spends no attempt', async () => {
      const store: StoreBody = () => Promise.reject(new StoreUnavailableError('Redis is away'));
      destination = create({ options: { oversize: oversizeHandler(store) } });
      expect(await deliver(bodies(10_240)[1])).toEqual({ kind: 'interrupted', code: 'STORE_UNAVAILABLE' });
    });
  });
});
