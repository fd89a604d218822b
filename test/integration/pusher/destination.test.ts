import Pusher from 'pusher';
import type { Options } from 'pusher-js';
import {
  oversizeHandler,
  type Reference,
  type StoreBody,
} from '../../../src/destinations/pusher/oversize/stub';
import { StoreUnavailableError } from '../../../src/errors';
import { CREDENTIALS, MASTER_KEY } from '../../support/pusher/destination';
import { numbered, PusherScene } from '../../support/pusher/scene';
import { deferred, within } from '../../support/signals/signals';
import { deliveryTo, envelopeOf, eventBody, fixture, fixtureNames } from '../../support/values/events';

let scene: PusherScene;
beforeEach(async () => {
  scene = await PusherScene.open();
});
afterEach(() => scene.close());

describe('the Pusher destination', () => {
  describe('what is sent', () => {
    test('a subscriber gets the documented body, byte for byte, with the app id as destination', async () => {
      const seen = await scene.listen('loja-centro');
      expect(await scene.deliver()).toEqual({ kind: 'delivered', status: 200 });
      const [event] = await seen.count(1);
      expect(event?.event).toBe('messages.upsert');
      expect(event?.data).toMatchObject({ event: 'messages.upsert', destination: '1234567', apikey: null });
      expect(Object.keys(event?.data as object)).toEqual(
        'event instance data destination date_time sender server_url apikey'.split(' '),
      );
    });

    test('the picture of a QR code is left out, here alone; the variant without a code passes', async () => {
      const body = fixture('qrcode.updated.json');
      expect(await scene.deliver(body)).toMatchObject({ kind: 'delivered' });
      const { data } = JSON.parse(scene.server.published.all[0]?.data ?? '') as { data: { qrcode: object } };
      expect(Object.keys(data.qrcode)).toEqual(['instance', 'pairingCode', 'code']);
      expect(body.includes('"base64"')).toBe(true);

      const limit = { message: 'QR code limit reached, please login again', statusCode: 500 };
      expect(await scene.deliver(eventBody(2, { event: 'qrcode.updated', data: limit }))).toMatchObject({
        kind: 'delivered',
      });
      expect(JSON.parse(scene.server.published.all[1]?.data ?? '')).toMatchObject({ data: limit });
    });

    test('every event of the contract is taken, or refused for its size alone', async () => {
      const bodies = fixtureNames()
        .filter((name) => !name.startsWith('transport.') && name !== 'error.http-only.json')
        .map((name) => Buffer.from(JSON.stringify(JSON.parse(fixture(name).toString('utf8')))));
      const outcomes = await Promise.all(bodies.map((body) => scene.deliver(body)));
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
        const seen = await scene.listen(`${channelPrefix}loja-centro`, {
          channelAuthorization: {
            customHandler: ({ socketId, channelName }, callback) =>
              callback(null, library.authorizeChannel(socketId, channelName, { user_id: 'ann' })),
          } as NonNullable<Options['channelAuthorization']>,
        });
        scene.create({ options: { channelPrefix } });
        await scene.deliver(eventBody(1, { data: 'olá 😀' }));
        expect((await seen.count(1))[0]?.data).toMatchObject({ data: 'olá 😀' });
      }
      expect(scene.server.published.all.at(-1)?.data).toMatch(/^{"nonce":"[^"]+","ciphertext":"[^"]+"}$/);
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
      expect(await scene.deliver(eventBody(1, names))).toEqual({
        kind: 'rejected',
        code: 'NAME_REFUSED',
        answer: expect.stringContaining(rule),
      });
      expect(scene.server.requests.all).toHaveLength(0);
    });

    test('an instance whose channel would be taken for an encrypted one is refused', async () => {
      scene.create({ options: { channelPrefix: 'private-' } });
      expect(await scene.deliver(eventBody(1, { instance: 'encrypted-loja' }))).toMatchObject({
        kind: 'rejected',
      });
    });
  });

  describe('answers', () => {
    test("a wrong secret is rejected at once, with Pusher's own words", async () => {
      scene.create({ credentials: { ...CREDENTIALS, secret: 'wrong' } });
      const answer = expect.stringContaining('Invalid signature');
      expect(await scene.deliver()).toEqual({ kind: 'rejected', code: 'HTTP_401', status: 401, answer });
    });

    test.each(['overQuota', 'disabled'] as const)('%s is waited out with the long delay', async (what) => {
      scene.app[what] = true;
      const outcomes = await Promise.all(numbered(10).map((body) => scene.deliver(body)));
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ kind: 'failed', code: 'HTTP_403', retryAfterMs: 300_000 });
      expect(scene.server.requests.all).toHaveLength(1);
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
      expect(await scene.deliver(fits)).toMatchObject({ kind: 'delivered' });
      expect(Buffer.byteLength(scene.server.published.all[0]?.data ?? '')).toBe(10_240);
      expect(await scene.deliver(tooLarge)).toEqual({
        kind: 'rejected',
        code: 'OVERSIZE',
        reason: 'oversize',
        answer: expect.stringMatching(/^10241 bytes; Pusher takes 10240/),
      });
      expect(scene.server.requests.all).toHaveLength(1);
    });

    test('on encrypted channels it is the encrypted size that counts', async () => {
      scene.create({ options: { channelPrefix: 'private-encrypted-' } });
      // {"nonce":"32 characters","ciphertext":"…"}: 60 bytes beside the ciphertext, which is 16 bytes more in base64.
      const [fits, tooLarge] = bodies(Math.floor((10_240 - 60) / 4) * 3 - 16);
      expect(await scene.deliver(fits)).toMatchObject({ kind: 'delivered' });
      expect(Buffer.byteLength(scene.server.published.all[0]?.data ?? '')).toBe(10_240);
      expect(await scene.deliver(tooLarge)).toMatchObject({ kind: 'rejected', code: 'OVERSIZE' });
    });

    test('with references a stub with a link is sent instead', async () => {
      const kept: Buffer[] = [];
      const store: StoreBody = async (_delivery, body) => {
        kept.push(body);
        return { url: 'https://relay.example.test/events/1?signature=x', expires: 1_800_000_000 };
      };
      scene.create({ options: { oversize: oversizeHandler(store) } });
      const seen = await scene.listen('loja-centro');
      const [, tooLarge] = bodies(10_240);
      expect(await scene.deliver(tooLarge)).toMatchObject({ kind: 'delivered' });
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
      scene.create({ options: { oversize: oversizeHandler(() => kept.promise) } });
      const running = scene.destination.start(deliveryTo(scene.destination, bodies(10_240)[1]));
      running.abort('shutdown');
      expect(await within(running.outcome, 15_000, () => 'the end')).toEqual({
        kind: 'interrupted',
        code: 'SHUTDOWN',
      });
      kept.resolve({ url: 'https://relay.example.test/', expires: 1 });
      await scene.deliver(eventBody(2));
      expect(scene.server.published.all).toHaveLength(1);
    });

    test('what cannot be kept for our own fault spends no attempt', async () => {
      const store: StoreBody = () => Promise.reject(new StoreUnavailableError('Redis is away'));
      scene.create({ options: { oversize: oversizeHandler(store) } });
      expect(await scene.deliver(bodies(10_240)[1])).toEqual({
        kind: 'interrupted',
        code: 'STORE_UNAVAILABLE',
      });
    });
  });
});
