import { Webhook } from 'standardwebhooks';
import type { Pool } from 'undici';
import {
  WebhookDestination,
  type WebhookOptions,
  type WebhookTarget,
} from '../../src/destinations/webhook/webhook-destination';
import { createHttpClient } from '../../src/network/http-client';
import type { DestinationId, Outcome } from '../../src/pipeline/delivery';
import { HttpTarget, type ReceivedRequest } from '../support/servers/http-target';
import { deliveryTo, eventBody, goBody } from '../support/values/events';
import { httpDestinationSuite } from './http-destination-suite';

const MAX_CONNECTIONS = 4;
const OPTIONS: WebhookOptions = {
  stripApikey: false,
  legacyPaths: false,
  rejectedStatuses: new Set([400, 401, 403, 404, 422]),
};

function clientFor(url: string): Pool {
  return createHttpClient(new URL(url).origin, { connections: MAX_CONNECTIONS, connectTimeoutMs: 5000 });
}

function targetOf(url: string, others: Partial<WebhookTarget> = {}): WebhookTarget {
  return {
    id: 'webhook:test' as DestinationId,
    url,
    byEvents: false,
    base64: true,
    headers: {},
    signingSecrets: [],
    maxAttempts: 10,
    timeoutMs: 30_000,
    shares: [],
    limits: {},
    ...others,
  };
}

httpDestinationSuite('webhook', () => {
  const created: WebhookDestination[] = [];
  return {
    create: (url) => {
      const destination = new WebhookDestination(targetOf(`${url}/hook`), OPTIONS, clientFor(url));
      created.push(destination);
      return destination;
    },
    identityOf: ({ headers }) => headers['webhook-id']?.toString(),
    contentOf: ({ body }) => body,
    rejected: [...OPTIONS.rejectedStatuses],
    largestBytes: 20_000_000,
    perRequest: 1,
    maxConnections: MAX_CONNECTIONS,
    close: async () => {
      await Promise.all(created.map((destination) => destination.close()));
    },
  };
});

describe('the webhook', () => {
  let created: WebhookDestination[];
  let target: HttpTarget;
  beforeEach(async () => {
    created = [];
    target = await HttpTarget.start();
  });
  afterEach(async () => {
    await Promise.all(created.map((destination) => destination.close()));
    await target.stop();
  });

  function create(settings: WebhookTarget, options: WebhookOptions = OPTIONS): WebhookDestination {
    const destination = new WebhookDestination(settings, options, clientFor(settings.url));
    created.push(destination);
    return destination;
  }

  /** Delivers one event and gives what the receiver got. */
  async function deliver(
    path: string,
    others: Partial<WebhookTarget> = {},
    options: Partial<WebhookOptions> = {},
    body: Buffer = eventBody(1),
  ): Promise<{ request: ReceivedRequest; outcome: Outcome; json: Record<string, unknown> }> {
    const destination = create(targetOf(target.url + path, others), { ...OPTIONS, ...options });
    const count = target.received.all.length;
    const outcome = await destination.start(deliveryTo(destination, body), 3).outcome;
    const request = target.received.all[count];
    if (request === undefined) throw new Error(`nothing was received: ${JSON.stringify(outcome)}`);
    return { request, outcome, json: JSON.parse(request.body.toString('utf8')) as Record<string, unknown> };
  }

  test('is posted as documented', async () => {
    const { request, json } = await deliver('/hook?token=1');
    expect(request).toMatchObject({ method: 'POST', path: '/hook?token=1' });
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^evolution-relay\/\d/),
      'webhook-id': expect.stringMatching(/^dlv_[\w-]{30}$/),
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      'x-evolution-relay-attempt': '3',
    });
    expect(request.headers['webhook-signature']).toBeUndefined();
    expect(Object.keys(json)).toEqual(
      'event instance data destination date_time sender server_url apikey'.split(' '),
    );
    expect(json['destination']).toBe(`${target.url}/hook?token=1`);
  });

  test.each([
    ['/hook', '/hook/messages-upsert'],
    ['/hook/', '/hook/messages-upsert'],
    ['', '/messages-upsert'],
    ['/', '/messages-upsert'],
    ['/hook?token=1&a=b', '/hook/messages-upsert?token=1&a=b'],
    ['/a%20b/c', '/a%20b/c/messages-upsert'],
  ])('by events, %s becomes %s', async (path, expected) => {
    const { request, json } = await deliver(path, { byEvents: true });
    expect(request.path).toBe(expected);
    // As in the core API, `destination` is the address without the suffix.
    expect(json['destination']).toBe(`${target.url}${path}`);
  });

  test.each([
    ['send.message', '/hook/send-messages'],
    ['group-participants.update', '/hook/groups-participants-update'],
    ['new.jwt', '/hook/new-token'],
    ['messages.upsert', '/hook/messages-upsert'],
  ])('by events with the older suffixes, %s goes to %s', async (event, expected) => {
    const { request } = await deliver(
      '/hook',
      { byEvents: true },
      { legacyPaths: true },
      eventBody(1, { event }),
    );
    expect(request.path).toBe(expected);
  });

  test.each([
    ['Brand_new.thing', '/hook/brand-new-thing'],
    ['../../admin?x=1#y', '/hook/--%2F--%2Fadmin%3Fx%3D1%23y'],
    ['a/b c\r\nx: y', '/hook/a%2Fb%20c%0D%0Ax%3A%20y'],
    ['ação', '/hook/a%C3%A7%C3%A3o'],
    ['half \ud800', '/hook/half%20%EF%BF%BD'],
  ])('by events, any event name stays one segment of the path: %j', async (event, expected) => {
    const { request } = await deliver('/hook', { byEvents: true }, {}, eventBody(1, { event }));
    expect(request.path).toBe(expected);
  });

  test('says in headers which event of which instance it is, as the core API 2.4 does', async () => {
    const before = Date.now();
    const { request } = await deliver('/hook', { instanceId: 'cmhj-1' });
    expect(request.headers).toMatchObject({
      'x-instance-name': 'loja-centro',
      'x-event-type': 'messages.upsert',
      'x-instance-id': 'cmhj-1',
    });
    const timestamp = Number(request.headers['x-timestamp']);
    expect(timestamp).toBeGreaterThanOrEqual(before);
    expect(timestamp).toBeLessThanOrEqual(Date.now());
  });

  test("an instance's id is left out where nobody knows it, and is in the events of evolution-go", async () => {
    expect((await deliver('/hook')).request.headers).not.toHaveProperty('x-instance-id');
    const { request } = await deliver('/hook', {}, {}, goBody());
    expect(request.headers).toMatchObject({
      'x-instance-name': 'vendas',
      'x-event-type': 'ChatPresence',
      'x-instance-id': '7c1f5b0e-2d3a-4f77-9a51-3c0c1f6f2b10',
    });
  });

  test("an instance's own headers win", async () => {
    const headers = {
      'X-Instance-Name': 'mine',
      'x-EVENT-type': 'any',
      'x-timestamp': '0',
      'x-instance-id': '7',
    };
    const { request } = await deliver('/hook', { instanceId: 'cmhj-1', headers });
    expect(request.headers).toMatchObject({
      'x-instance-name': 'mine',
      'x-event-type': 'any',
      'x-timestamp': '0',
      'x-instance-id': '7',
    });
  });

  test.each([
    ['loja centro', 'loja centro'],
    ['ação', 'a%C3%A7%C3%A3o'],
    ['a\r\nx: y', 'a%0D%0Ax%3A%20y'],
    ['half \ud800', 'half%20%EF%BF%BD'],
    [' ', '%20'],
  ])('a name that no header can hold is percent-encoded in them: %j', async (instance, expected) => {
    const { request, outcome } = await deliver('/hook', {}, {}, eventBody(1, { instance }));
    expect(outcome).toMatchObject({ kind: 'delivered' });
    expect(request.headers['x-instance-name']).toBe(expected);
  });

  test('a body of evolution-go arrives as it was published', async () => {
    const { request } = await deliver('/hook', { base64: false }, {}, goBody());
    expect(request.body).toEqual(goBody());
  });

  test('own headers are sent', async () => {
    const { request } = await deliver('/hook', { headers: { 'X-Instance': 'a', Authorization: 'Bearer b' } });
    expect(request.headers).toMatchObject({ 'x-instance': 'a', authorization: 'Bearer b' });
  });

  test('a signature verifies at the receiver, with either secret during rotation', async () => {
    const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'];
    const { request } = await deliver(
      '/hook',
      { signingSecrets: secrets },
      {},
      eventBody(1, { data: 'ação 😀' }),
    );
    const headers = {
      'webhook-id': String(request.headers['webhook-id']),
      'webhook-timestamp': String(request.headers['webhook-timestamp']),
      'webhook-signature': String(request.headers['webhook-signature']),
    };
    for (const secret of secrets) {
      expect(() => new Webhook(secret).verify(request.body.toString('utf8'), headers)).not.toThrow();
    }
  });

  test('user and password of the address are sent as authorization, not as part of the path', async () => {
    const url = new URL(`${target.url}/hook`);
    url.username = 'u';
    url.password = 'p';
    const destination = create(targetOf(url.href));
    await destination.start(deliveryTo(destination), 1).outcome;
    const [request] = target.received.all;
    expect(request).toMatchObject({ path: '/hook', headers: { authorization: 'Basic dTpw' } });
  });

  test('apikey is stripped, and media base64 left out, where that is set', async () => {
    const data = { message: { base64: 'QUJD', caption: 'x' } };
    const body = eventBody(1, { apikey: 's3cret', data });
    expect((await deliver('/hook', {}, {}, body)).json).toMatchObject({ apikey: 's3cret', data });
    const { json } = await deliver('/hook', { base64: false }, { stripApikey: true }, body);
    expect(json['data']).toEqual({ message: { caption: 'x' } });
    expect(json).not.toHaveProperty('apikey');
  });

  test('data arrives byte for byte', async () => {
    const data = '{"id":12345678901234567890123,"a":1,"a":"\\u00e9","z":1.0,"n":-0}';
    const body = Buffer.from(`{"event":"call","instance":"i","data":${data}}`);
    const { request } = await deliver('/hook', {}, {}, body);
    expect(request.body.toString('utf8')).toContain(`"data":${data},`);
  });
});
