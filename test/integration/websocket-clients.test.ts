import { connect } from 'node:net';
import { Feeder, IoClient, keyOf, PlainClient } from '../support/clients/websockets';
import { API_KEY, errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { eventually, turns } from '../support/signals/signals';
import { fixture } from '../support/values/events';

const UNAUTHORIZED = { status: 401, error: 'Unauthorized', response: { message: 'Unauthorized' } };
const apikey = API_KEY;

let harness: GatewayHarness;
let feeder: Feeder;
let port: number;
const open: { close(): unknown }[] = [];

async function plain(query: Readonly<Record<string, string>>): Promise<PlainClient> {
  const client = await PlainClient.open(port, query);
  open.push(client);
  return client;
}

async function socketIo(namespace: string, auth: object, options: object = {}): Promise<IoClient> {
  const client = await IoClient.open(port, namespace, { ...auth }, { ...options });
  open.push(client);
  return client;
}

beforeAll(async () => {
  harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true', WEBSOCKET_GLOBAL_EVENTS: 'true' });
  port = harness.gateway.gatewayPort;
  feeder = new Feeder(harness.connectRedis(), harness.prefix);
  for (const name of ['loja', 'other']) {
    await harness.ask('POST', '/instance/create', {
      body: { instanceName: name, token: `token-of-${name}` },
    });
  }
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});
afterAll(async () => {
  feeder.close();
  await harness.close();
});

describe('what clients receive', () => {
  test('the core API’s message, its data byte for byte, and two keys of ours', async () => {
    const ws = await plain({ apikey, instance: 'loja-centro' });
    const io = await socketIo('/loja-centro', { apikey });
    const data =
      '{"n":12345678901234567890,"big":1e400, "text":"\\u00e9 \\/ \\ud83d\\udc4b 👋" ,"dup":1,"dup":2}';
    const body = `{"event":"messages.upsert","instance":"loja-centro","data":${data},"server_url":"https://x","date_time":"2025-11-03T14:22:07.415Z","sender":"5511@s.whatsapp.net","apikey":null,"extra":9007199254740993}`;
    await feeder.feedBody('loja-centro', Buffer.from(body));
    const [text = ''] = await ws.texts.count(1);
    const { id, delivery_id } = JSON.parse(text);
    expect(id).toMatch(/^\d+-\d+$/);
    expect(text).toBe(`${body.slice(0, -1)},"id":"${id}","delivery_id":"${delivery_id}"}`);
    const [{ name, event } = { name: '', event: undefined }] = await io.events.count(1);
    expect([name, event]).toEqual(['messages.upsert', JSON.parse(text)]);
  });

  test('every event of the contract, over both protocols, under its own name', async () => {
    const ws = await plain({ apikey, instance: 'loja-centro' });
    const io = await socketIo('/loja-centro', { apikey });
    const names = [
      'messages.upsert.json',
      'qrcode.updated.json',
      'call.json',
      'transport.websocket.cb-call.json',
      'send.message.json',
    ];
    const events = names.map((name) => JSON.parse(fixture(name).toString('utf8')) as { event: string });
    for (const event of events) await feeder.feedBody('loja-centro', Buffer.from(JSON.stringify(event)));
    expect(await ws.received(5)).toMatchObject(events);
    const received = await io.events.count(5);
    expect(received.map(({ event }) => event)).toMatchObject(events);
    expect(received.map(({ name }) => name)).toEqual(events.map(({ event }) => event));
  });

  test('an event with the name of one of socket.io’s own ends no connection', async () => {
    const io = await socketIo('/loja', { apikey });
    await feeder.feed('loja', 1, { event: 'disconnect' });
    await feeder.feed('loja', 1, { event: 'connect_error' });
    await feeder.feed('loja');
    expect((await io.events.count(3)).map(({ name }) => name)).toEqual([
      'event.disconnect',
      'event.connect_error',
      'messages.upsert',
    ]);
  });

  test('a body of several megabytes arrives whole', async () => {
    const ws = await plain({ apikey, instance: 'loja' });
    const io = await socketIo('/loja', { apikey });
    const data = { key: { id: 'large' }, message: { base64: 'ã'.repeat(3_000_000) } };
    await feeder.feed('loja', 1, { data });
    expect((await ws.received(1))[0]?.data).toEqual(data);
    expect((await io.received(1))[0]?.data).toEqual(data);
  });

  test('the events of its own instance, in the order they came; the global stream has its own', async () => {
    const own = await plain({ apikey, instance: 'loja' });
    const other = await socketIo('/other', { apikey });
    const global = await plain({ apikey });
    const globalIo = await socketIo('/', { apikey });
    const keys = {
      loja: await feeder.feed('loja', 100),
      other: await feeder.feed('other', 3),
      all: await feeder.feed(undefined, 4),
    };
    expect((await own.received(100)).map(keyOf)).toEqual(keys.loja);
    expect((await other.received(3)).map(keyOf)).toEqual(keys.other);
    expect((await global.received(4)).map(keyOf)).toEqual(keys.all);
    expect((await globalIo.received(4)).map(keyOf)).toEqual(keys.all);
    expect([own, global].map(({ texts }) => texts.all.length)).toEqual([100, 4]);
  });

  test('socket.io over polling, and polling that is upgraded', async () => {
    const polling = await socketIo('/loja', { apikey }, { transports: ['polling'] });
    const upgraded = await socketIo('/loja', { apikey }, { transports: ['polling', 'websocket'] });
    const keys = await feeder.feed('loja', 50);
    expect((await polling.received(50)).map(keyOf)).toEqual(keys);
    expect((await upgraded.received(50)).map(keyOf)).toEqual(keys);
  });

  test.each([
    'loja/centro',
    'loja.centro',
    'loja do centro',
    'lója 商店 👋',
    'a,b',
    '100%',
    'a?b#c',
    '__proto__',
    'global',
    '商'.repeat(255),
  ])('an instance called %s', async (instance) => {
    const ws = await plain({ apikey, instance });
    const io = await socketIo(`/${encodeURIComponent(instance)}`, { apikey });
    const keys = await feeder.feed(instance, 3);
    expect((await ws.received(3)).map(keyOf)).toEqual(keys);
    expect((await io.received(3)).map(keyOf)).toEqual(keys);
  });
});

describe('who is let in', () => {
  test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ['no key', { instance: 'loja' }, {}],
    ['an empty key', { instance: 'loja', apikey: '' }, {}],
    ['a wrong key', { instance: 'loja', apikey: 'wrong' }, {}],
    ['a wrong key in a header', { instance: 'loja' }, { apikey: 'wrong' }],
    ['the token of another instance', { instance: 'loja', apikey: 'token-of-other' }, {}],
    ['a token for everything', { apikey: 'token-of-loja' }, {}],
  ])('plain, %s: 401 before the upgrade, in the shape of every error', async (_what, query, headers) => {
    expect(await PlainClient.refused(port, query, headers)).toEqual({ status: 401, body: UNAUTHORIZED });
  });

  test.each<[string, string, Readonly<Record<string, unknown>>]>([
    ['no key', '/loja', {}],
    ['a wrong key', '/loja', { apikey: 'wrong' }],
    ['a key that is no text', '/loja', { apikey: { $ne: '' } }],
    ['the token of another instance', '/loja', { apikey: 'token-of-other' }],
    ['a token for everything', '/', { apikey: 'token-of-loja' }],
  ])('socket.io, %s: connect_error with the same body', async (_what, namespace, auth) => {
    const error = await IoClient.refused(port, namespace, auth);
    expect([error.message, error.data]).toEqual(['"Unauthorized"', UNAUTHORIZED]);
  });

  test('a token opens its own instance, by query, header or auth field', async () => {
    const clients = [
      await plain({ apikey: 'token-of-loja', instance: 'loja' }),
      await PlainClient.open(port, { instance: 'loja' }, { apikey: 'token-of-loja' }),
      await socketIo('/loja', { apikey: 'token-of-loja' }),
      await socketIo('/loja', {}, { query: { apikey: 'token-of-loja' } }),
      await socketIo('/loja', {}, { extraHeaders: { apikey: 'token-of-loja' } }),
    ];
    open.push(...clients);
    const keys = await feeder.feed('loja');
    for (const client of clients) expect((await client.received(1)).map(keyOf)).toEqual(keys);
  });

  test.each([
    ['no name', { instance: '' }],
    ['256 characters', { instance: 'n'.repeat(256) }],
    ['a line break', { instance: 'a\nb' }],
    ['an id that is none', { instance: 'loja', 'last-event-id': 'latest' }],
  ])('%s is refused with 400', async (_what, query) => {
    expect(await PlainClient.refused(port, { apikey, ...query })).toEqual({
      status: 400,
      body: errorShape(400, 'Bad Request'),
    });
  });

  test('requests that offer HTTP/2 are served all the same, with their bodies, one after the other', async () => {
    const body = '{"url":"https://example.com/ã"}';
    const offer =
      'connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAA\r\n';
    const head = `host: x\r\n${offer}apikey: ${API_KEY}\r\n`;
    const requests = [
      `POST /webhook/set/h2c HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      `GET /webhook/find/h2c HTTP/1.1\r\n${head}\r\n`,
    ];
    const socket = connect(port, '127.0.0.1');
    let answers = '';
    socket.on('data', (chunk: Buffer) => {
      answers += chunk.toString('utf8');
    });
    for (const [index, request] of requests.entries()) {
      // Also where the body comes later than the head.
      socket.write(request.slice(0, -3));
      await turns();
      socket.write(request.slice(-3));
      await eventually(
        () => (answers.split('HTTP/1.1 20').length === index + 2 ? true : undefined),
        'an answer',
      );
    }
    expect(answers).toMatch(/^HTTP\/1\.1 201 .*HTTP\/1\.1 200 .*example\.com\/ã/s);
    socket.destroy();
  });

  test('a path that is none is refused with 404', async () => {
    const answer = await harness.ask('GET', '/ws?apikey=x', {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'x',
      },
    });
    expect([answer.status, answer.body]).toEqual([404, errorShape(404, 'Not Found', ['Cannot GET /ws'])]);
  });

  test('a client whose token is replaced is cut off at once; others stay', async () => {
    const revoked = await plain({ apikey: 'token-of-loja', instance: 'loja' });
    const revokedIo = await socketIo('/loja', { apikey: 'token-of-loja' });
    const staying = await plain({ apikey, instance: 'loja' });
    const other = await plain({ apikey: 'token-of-other', instance: 'other' });
    await harness.ask('POST', '/settings/set/loja', { body: { token: 'a-newer-token' } });
    expect(await revoked.closed).toEqual({ code: 4001, reason: 'revoked' });
    expect(await revokedIo.disconnected.count(1)).toEqual(['io server disconnect']);
    expect(await PlainClient.refused(port, { apikey: 'token-of-loja', instance: 'loja' })).toMatchObject({
      status: 401,
    });
    const keys = [await feeder.feed('loja'), await feeder.feed('other')];
    expect([(await staying.received(1)).map(keyOf), (await other.received(1)).map(keyOf)]).toEqual(keys);
    await harness.ask('POST', '/settings/set/loja', { body: { token: 'token-of-loja' } });
  });

  test('clients are counted in the metrics, and no longer when they are gone', async () => {
    const count = (protocol: string) =>
      harness.gateway.metric(`relay_websocket_clients{protocol="${protocol}"}`);
    const isSo = async (ws: number, io: number) =>
      (await count('ws')) === ws && (await count('socket.io')) === io ? true : undefined;
    await eventually(() => isSo(0, 0), 'nobody connected');
    const clients = [await plain({ apikey }), await plain({ apikey }), await socketIo('/loja', { apikey })];
    await eventually(() => isSo(2, 1), 'three connected');
    for (const client of clients) await client.close();
    await eventually(() => isSo(0, 0), 'nobody connected any more');
  });
});
