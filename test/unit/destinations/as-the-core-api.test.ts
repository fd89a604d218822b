import type { IncomingHttpHeaders } from 'node:http';
import jwt from 'jsonwebtoken';
import { type WebhookSettings, webhookSection } from '../../../src/destinations/webhook/webhook-section';
import { Webhooks } from '../../../src/destinations/webhook/webhooks';
import { MODULES } from '../../../src/modules';
import type { Subscription } from '../../../src/pipeline/route';
import { parseSettings } from '../../../src/settings/document';
import {
  type EmittedEvent,
  emitWebhook,
  type WebhookMode,
  type WebhookRow,
} from '../../support/clients/core-api-controller';
import { HttpTarget, type ReceivedRequest } from '../../support/servers/http-target';
import { deliveryTo, fixture, fixtureNames } from '../../support/values/events';

/** What says who sends, over which connection, or is the relay's own addition. */
const OF_EITHER =
  /^(host|connection|content-length|user-agent|accept-encoding|webhook-(id|timestamp)|x-evolution-relay-attempt|x-instance-(id|name)|x-event-type|x-timestamp)$/;
/** Of the envelope, in the order in which webhooks have them; all others are extra ones. */
const KEYS = ['event', 'instance', 'data', 'destination', 'date_time', 'sender', 'server_url', 'apikey'];

let target: HttpTarget;
beforeAll(async () => {
  target = await HttpTarget.start();
});
afterAll(() => target.stop());

interface Case {
  readonly mode: WebhookMode;
  readonly byEvents?: boolean;
  /** What is set for the instance's own webhook; left out, it has none. */
  readonly own?: Omit<WebhookRow, 'url'> & { readonly path?: string };
  readonly globalPath?: string;
}

/** The same event by the core API's own controller, and by the relay. */
async function both(
  emitted: EmittedEvent,
  each: Case,
): Promise<[core: ReceivedRequest, relay: ReceivedRequest]> {
  const globalUrl = `${target.url}${each.globalPath ?? '/global'}`;
  const row = each.own === undefined ? null : { ...each.own, url: `${target.url}${each.own.path ?? '/own'}` };
  const controller = { globalUrl, globalByEvents: each.byEvents === true };
  await emitWebhook(each.mode, emitted, controller, row);
  await sendByRelay(emitted, each, { globalUrl, row });
  const [relay, core] = [target.received.all.at(-1), target.received.all.at(-2)];
  if (core === undefined || relay === undefined) throw new Error('nothing was received');
  return [core, relay];
}

async function sendByRelay(
  emitted: EmittedEvent,
  { mode, byEvents }: Case,
  { globalUrl, row }: { readonly globalUrl: string; readonly row: WebhookRow | null },
): Promise<void> {
  const { config } = MODULES.loadConfig(__dirname, {
    WEBHOOK_GLOBAL_URL: globalUrl,
    WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS: String(byEvents === true),
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32',
  });
  const webhooks = new Webhooks(config);
  try {
    const parsed = parseSettings(MODULES.sections, row === null ? {} : { webhook: row });
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    const { settings } = parsed;
    const [subscription] =
      mode === 'local'
        ? webhooks.own(emitted.instance, settings)
        : webhooks.globalsOf(emitted.instance, settings);
    await send(subscription, emitted);
  } finally {
    await webhooks.close();
  }
}

async function send(subscription: Subscription | undefined, emitted: EmittedEvent): Promise<void> {
  if (subscription === undefined) throw new Error('there is no such webhook');
  const { destination } = subscription;
  const outcome = await destination.start(deliveryTo(destination, JSON.stringify(emitted)), 1).outcome;
  expect(outcome).toMatchObject({ kind: 'delivered' });
}

function headersOf({ headers }: ReceivedRequest): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_EITHER.test(name)));
}

function expectSame(core: ReceivedRequest, relay: ReceivedRequest): void {
  expect([relay.method, relay.path]).toEqual([core.method, core.path]);
  expect(headersOf(relay)).toEqual(headersOf(core));
  const [expected, body] = [core, relay].map((each) => JSON.parse(each.body.toString('utf8')) as object);
  expect(body).toEqual(expected);
  const known = (value: object = {}): string[] => Object.keys(value).filter((key) => KEYS.includes(key));
  expect(known(body)).toEqual(known(expected));
  // Where extra keys stand depends on the version of the core API.
  if (Object.keys(expected ?? {}).length === known(expected).length)
    expect(relay.body.toString('utf8')).toBe(core.body.toString('utf8'));
}

/** Those of other transports are the same events; the error webhook is the core API's alone. */
const EVENTS = fixtureNames().filter((name) => !/^(transport\.|error\.)/.test(name));
const emittedIn = (name: string): EmittedEvent => JSON.parse(fixture(name).toString('utf8')) as EmittedEvent;
const own = { enabled: true, webhookByEvents: false, headers: { authorization: 'Bearer x', 'X-Number': 42 } };

describe('what a webhook receives is what the core API would have sent, field by field (finding 6.4, 6.10)', () => {
  test.each(EVENTS)('%s', async (name) => {
    const emitted = emittedIn(name);
    const cases: readonly Case[] = [
      { mode: 'global' },
      { mode: 'global', byEvents: true },
      { mode: 'global', own },
      { mode: 'local', own },
      { mode: 'local', own: { ...own, webhookByEvents: true } },
    ];
    for (const each of cases) expectSame(...(await both(emitted, each)));
  });

  test.each<[string, Case]>([
    [
      'an instance’s webhook that is disabled is the destination all the same',
      { mode: 'global', own: { ...own, enabled: false } },
    ],
    [
      'header values that are no text',
      { mode: 'local', own: { ...own, headers: { a: 42, b: true, c: '', d: null, e: false, f: ['x', 2] } } },
    ],
    ['a Host header', { mode: 'local', own: { ...own, headers: { Host: 'inner.example.test' } } }],
    ['user and password in the address', { mode: 'local', own: { ...own, headers: null, path: '/own' } }],
    [
      'an own content type',
      { mode: 'local', own: { ...own, headers: { 'Content-Type': 'application/json; charset=utf-8' } } },
    ],
    ['an own accept', { mode: 'local', own: { ...own, headers: { Accept: 'text/plain' } } }],
  ])('%s', async (_rule, each) => {
    const [core, relay] = await both(emittedIn('messages.upsert.json'), each);
    expectSame(core, relay);
    if (each.own?.headers?.['Host'] !== undefined) expect(relay.headers.host).toBe(core.headers.host);
  });

  test.each([
    { jwt_key: 'k', authorization: 'Bearer own' },
    { Authorization: 'Bearer own', jwt_key: 'k' },
  ])('the token of jwt_key wins over an own Authorization, whichever comes first: %j', async (headers) => {
    const [core, relay] = await both(emittedIn('call.json'), { mode: 'local', own: { ...own, headers } });
    const claims = [core, relay].map(({ headers: sent }) => {
      const {
        iat: _iat,
        exp: _exp,
        ...rest
      } = jwt.verify((sent.authorization ?? '').slice(7), 'k') as object & {
        iat: number;
        exp: number;
      };
      return rest;
    });
    expect(claims[1]).toEqual(claims[0]);
  });

  test('user and password of the address win over both', async () => {
    const [host] = target.url.split('//').slice(1);
    const url = `http://us%40er:p%C3%A9@${host}/own`;
    const row = { ...own, url };
    const emitted = emittedIn('call.json');
    await emitWebhook('local', emitted, { globalUrl: target.url, globalByEvents: false }, row);
    await sendByRelay(emitted, { mode: 'local' }, { globalUrl: target.url, row });
    const [relay, core] = [target.received.all.at(-1), target.received.all.at(-2)];
    expect(relay?.headers.authorization).toBe(core?.headers.authorization);
  });
});

describe('base64 (finding 6.7)', () => {
  const settings = (webhook: object): WebhookSettings =>
    webhookSection.schema.parse({ url: target.url, ...webhook });
  const media = { ...emittedIn('messages.upsert.json'), data: { message: { base64: 'QUJD' } } };

  test.each([
    [{}, true],
    [{ base64: true }, true],
    [{ base64: false }, false],
  ])(
    '%j: media is sent: %p; not set, what the event holds is sent, as by the core API',
    async (webhook, isSent) => {
      const { config } = MODULES.loadConfig(__dirname, { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32' });
      const webhooks = new Webhooks(config);
      const [subscription] = webhooks.own('loja-centro', { webhook: settings(webhook) });
      await send(subscription, media);
      await webhooks.close();
      expect(target.received.all.at(-1)?.body.includes('QUJD')).toBe(isSent);
    },
  );
});

test('an event that came by SQS looks like any other: what the core API adds for SQS alone is left out (finding 6.8)', async () => {
  const bySqs = emittedIn('transport.sqs.messages.upsert.json');
  await sendByRelay(bySqs, { mode: 'global' }, { globalUrl: target.url, row: null });
  const body = JSON.parse(target.received.all.at(-1)?.body.toString('utf8') ?? '') as object;
  expect(Object.keys(body).filter((key) => !KEYS.includes(key))).toEqual([]);
  expect(Object.keys(bySqs)).toEqual(expect.arrayContaining(['dataType', 'server']));
});
