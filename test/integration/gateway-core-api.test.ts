import { CORE_KEYS } from '../../src/events/catalogue';
import { forKnownInstance, GatewayHarness } from '../support/harness/gateway-harness';

/**
 * What a client that was written for the core API sends, and what it reads from the answers (docs/core-api.md#rest): all pairs in
 * the order in which such a client sends them.
 */
const ROW = {
  id: expect.stringMatching(/^c[0-9a-z]{24}$/),
  createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
  updatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
  instanceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
};
const EVENTS =
  `APPLICATION_STARTUP QRCODE_UPDATED MESSAGES_SET MESSAGES_UPSERT MESSAGES_EDITED MESSAGES_UPDATE
  MESSAGES_DELETE SEND_MESSAGE SEND_MESSAGE_UPDATE CONTACTS_SET CONTACTS_UPSERT CONTACTS_UPDATE PRESENCE_UPDATE CHATS_SET
  CHATS_UPSERT CHATS_UPDATE CHATS_DELETE GROUPS_UPSERT GROUP_UPDATE GROUP_PARTICIPANTS_UPDATE CONNECTION_UPDATE LABELS_EDIT
  LABELS_ASSOCIATION CALL TYPEBOT_START TYPEBOT_CHANGE_STATUS REMOVE_INSTANCE LOGOUT_INSTANCE INSTANCE_CREATE
  INSTANCE_DELETE STATUS_INSTANCE`.split(/\s+/);
const url = 'https://n8n.example.com/webhook/abc';
const error = (status: number, text: string, message: unknown) => ({
  status,
  error: text,
  response: { message },
});

type Pair = readonly [
  what: string,
  method: string,
  path: string,
  body: unknown,
  status: number,
  answer: unknown,
];

const PAIRS: readonly Pair[] = [
  [
    'create',
    'POST',
    '/instance/create',
    {
      instanceName: 'loja-centro',
      integration: 'WHATSAPP-BAILEYS',
      token: 'TOKEN-OF-LOJA',
      qrcode: true,
      groupsIgnore: true,
    },
    201,
    { instance: { instanceName: 'loja-centro', instanceId: ROW.instanceId }, hash: 'TOKEN-OF-LOJA' },
  ],
  [
    'create again',
    'POST',
    '/instance/create',
    { instanceName: 'loja-centro', integration: 'WHATSAPP-BAILEYS' },
    403,
    error(403, 'Forbidden', ['This name "loja-centro" is already in use.']),
  ],
  ['find before set', 'GET', '/webhook/find/loja-centro', undefined, 200, null],
  [
    'set webhook, every event of the enum',
    'POST',
    '/webhook/set/loja-centro',
    { webhook: { enabled: true, url, headers: {}, byEvents: false, base64: true, events: EVENTS } },
    201,
    { ...ROW, url, headers: {}, enabled: true, events: EVENTS, webhookByEvents: false, webhookBase64: true },
  ],
  [
    'find webhook',
    'GET',
    '/webhook/find/loja-centro',
    undefined,
    200,
    { ...ROW, url, headers: {}, enabled: true, events: EVENTS, webhookByEvents: false, webhookBase64: true },
  ],
  [
    'set webhook without url',
    'POST',
    '/webhook/set/norte',
    { webhook: { enabled: true } },
    400,
    error(400, 'Bad Request', [[expect.stringContaining('url')]]),
  ],
  ...['rabbitmq', 'sqs', 'websocket'].flatMap((section): Pair[] => [
    [
      `set ${section}`,
      'POST',
      `/${section}/set/loja-centro`,
      { [section]: { enabled: true, events: ['MESSAGES_UPSERT'] } },
      201,
      { ...ROW, enabled: true, events: ['MESSAGES_UPSERT'] },
    ],
    [
      `find ${section}`,
      'GET',
      `/${section}/find/loja-centro`,
      undefined,
      200,
      { ...ROW, enabled: true, events: ['MESSAGES_UPSERT'] },
    ],
  ]),
  [
    'set pusher',
    'POST',
    '/pusher/set/loja-centro',
    {
      pusher: { enabled: true, appId: '1', key: 'k', secret: 's', cluster: 'sa1', useTLS: true, events: [] },
    },
    201,
    {
      ...ROW,
      enabled: true,
      appId: '1',
      key: 'k',
      secret: '********',
      cluster: 'sa1',
      useTLS: true,
      events: CORE_KEYS,
    },
  ],
  [
    'an unknown route',
    'GET',
    '/chat/findChats/loja-centro',
    undefined,
    404,
    error(404, 'Not Found', ['Cannot GET /chat/findChats/loja-centro']),
  ],
  [
    'delete',
    'DELETE',
    '/instance/delete/loja-centro',
    undefined,
    200,
    { status: 'SUCCESS', error: false, response: { message: 'Instance deleted' } },
  ],
  ['find after delete', 'GET', '/webhook/find/loja-centro', undefined, 200, null],
];

let harness: GatewayHarness;
beforeAll(async () => {
  harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
});
afterAll(() => harness.close());

test.each(PAIRS)('%s', async (_what, method, path, body, status, expected) => {
  const answer = await harness.ask(method, path, body === undefined ? {} : { body });
  expect(answer.status).toBe(status);
  if (path === '/instance/create') expect(answer.body).toMatchObject(expected as object);
  else {
    const { warnings: _warnings, ...shown } = (answer.body ?? {}) as Record<string, unknown>;
    expect(answer.body === null ? null : shown).toEqual(expected);
  }
});

test('no event of the core API’s enum is warned of', async () => {
  const answer = await harness.ask('POST', '/webhook/set/enum', {
    body: { webhook: { url, events: EVENTS } },
  });
  expect(forKnownInstance(answer).body).not.toHaveProperty('warnings');
});
