import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { webhookSection } from '../../../src/destinations/webhook/webhook-section';
import { MODULES } from '../../../src/modules';
import { filterOf, parseSettings } from '../../../src/settings/document';
import { MASK, NOTHING_BEHIND_MASK } from '../../../src/settings/masked-url';
import { settingsOf } from '../../support/values/parsed-settings';

const url = 'https://hooks.example.test/whatsapp';

function problemsOf(value: unknown): readonly string[] {
  const parsed = parseSettings(MODULES.sections, value);
  return parsed.ok ? [] : parsed.problems;
}

describe('settings of an instance', () => {
  test.each(['schlüssel-des-ladens', ' blank-before', 'blank-behind ', 'turned-\u202e-round'])(
    'a token that not every client can send (%j) is taken with a warning',
    (token) => {
      const warningsOf = (value: unknown): readonly string[] => {
        const parsed = parseSettings(MODULES.sections, value);
        return parsed.ok ? parsed.warnings : ['refused'];
      };
      expect(warningsOf({ token })).toEqual([expect.stringMatching(/^token: .*ASCII/)]);
      expect(warningsOf({ token: 'a token of the shop' })).toEqual([]);
    },
  );

  test('what is left out has the default of the core API', () => {
    expect(settingsOf({ webhook: { url } })['webhook']).toEqual({
      enabled: true,
      url,
      byEvents: false,
      headers: {},
      events: [],
    });
    expect(settingsOf({})).toEqual({ webhooks: {} });
  });

  test.each([
    ['1.x and Lite', { url, webhook_by_events: true, webhook_base64: true, events: ['CALL'] }],
    [
      'what find answers',
      { url, webhookByEvents: true, webhookBase64: true, events: ['CALL'], headers: null },
    ],
    [
      'instance/create',
      { webhookUrl: url, webhookByEvents: true, webhookBase64: true, webhookEvents: ['CALL'] },
    ],
  ])('the older flat body is understood: %s', (_name, webhook) => {
    expect(settingsOf({ webhook })['webhook']).toMatchObject({
      url,
      byEvents: true,
      base64: true,
      events: ['CALL'],
    });
  });

  test('where both spellings are given, the present one counts', () => {
    const webhook = { url, byEvents: false, webhookByEvents: true };
    expect(settingsOf({ webhook })).toMatchObject({ webhook: { byEvents: false } });
  });

  test.each([
    [
      { webhook: { url, event: ['CALL'] } },
      ['webhook.event: no such field; it is left out; did you mean events?'],
    ],
    [
      { webhooks: { crm: { url, Base64: true } } },
      ['webhooks.crm.Base64: no such field; it is left out; did you mean base64?'],
    ],
    [{ websocket: { colour: [] } }, ['websocket.colour: no such field; it is left out']],
    [{ webhok: { url } }, ['webhok: no such section; it is left out; did you mean webhook?']],
    [{ quite_another: {} }, ['quite_another: no such section; it is left out']],
    [
      { webhookUrl: url, rabbitmqEvents: [], rejectCall: true, chatwootUrl: 'x', integration: 'WHATSAPP' },
      [
        expect.stringContaining('webhookUrl: flat names have no effect here'),
        expect.stringContaining('{"rabbitmq": {"events": …}}'),
      ],
    ],
    [{ webhook: { id: 'a', instanceId: 'b', url, webhookByEvents: true, headers: null } }, []],
    [{ webhook: { url, events: ['CALLS'] } }, [expect.stringContaining('webhook.events: CALLS is none')]],
  ])('%j: what would have no effect is told', (value, warnings) => {
    const parsed = parseSettings(MODULES.sections, value);
    expect(parsed.ok && parsed.warnings).toEqual(warnings);
  });

  test('a Pusher-compatible server needs no cluster', () => {
    const app = { appId: '1', key: 'k', secret: 's', host: 'soketi', port: 6001 };
    expect(settingsOf({ pusher: app })['pusher']).toMatchObject({ cluster: '', host: 'soketi' });
  });

  test('disabling keeps everything else', () => {
    const webhook = { enabled: false, url, events: ['CALL'] };
    expect(settingsOf({ webhook })['webhook']).toMatchObject(webhook);
  });

  test.each([
    [{ webhook: {} }, 'webhook.url'],
    [{ webhook: { url: 'ftp://a' } }, 'webhook.url'],
    [{ webhook: { url: `http://a/${'a'.repeat(500)}` } }, 'webhook.url'],
    [{ webhook: { url, enabled: 'true' } }, 'webhook.enabled'],
    [{ webhook: { url, headers: { 'a b': 'c' } } }, 'webhook.headers'],
    [{ webhook: { url, headers: { a: 'b\r\nc: d' } } }, 'webhook.headers'],
    [{ webhook: { url, headers: { jwt_key: '' } } }, 'webhook.headers'],
    [{ webhook: { url, events: 'CALL' } }, 'webhook.events'],
    [{ webhook: { url, secret: 'short' } }, 'webhook.secret'],
    [{ webhook: { url, maxAttempts: 0 } }, 'webhook.maxAttempts'],
    [{ webhook: { url, timeoutMs: 1.5 } }, 'webhook.timeoutMs'],
    [{ webhooks: { 'a/b': { url } } }, 'webhooks.a/b'],
    [{ pusher: { appId: '1', key: 'k', secret: 's' } }, 'pusher.cluster'],
    [{ rabbitmq: { enabled: 1 } }, 'rabbitmq.enabled'],
    ['text', 'settings'],
  ])('%j is refused, naming %s', (value, field) => {
    expect(problemsOf(value)).toEqual([expect.stringMatching(new RegExp(`^${field}: .`))]);
  });

  test('every problem is told at once', () => {
    expect(problemsOf({ webhook: { url: 1, events: 2 }, sqs: { events: 3 } })).toHaveLength(3);
  });

  test('an empty list means every event; names are taken in every spelling', () => {
    expect(filterOf([])).toBe('all');
    expect(filterOf(['GROUP_UPDATE', 'call', 'messages.upsert', 'BRAND_NEW'])).toEqual(
      new Set(['GROUPS_UPDATE', 'CALL', 'MESSAGES_UPSERT', 'BRAND_NEW']),
    );
  });

  test('what Redis holds replaces the same section of the file, and webhooks one by one', () => {
    const file = settingsOf({ webhook: { url }, webhooks: { n8n: { url }, crm: { url } }, sqs: {} });
    const stored = settingsOf({
      webhook: { url, enabled: false },
      webhooks: { crm: { url, byEvents: true } },
    });
    expect(MODULES.sections.merge(file, stored)).toEqual({
      webhook: stored['webhook'],
      webhooks: { n8n: webhookSection.further(file)['n8n'], crm: webhookSection.further(stored)['crm'] },
      sqs: file['sqs'],
    });
    expect(MODULES.sections.merge(file, undefined)).toBe(file);
    expect(MODULES.sections.merge(undefined, stored)).toBe(stored);
  });
});

test('a masked secret that stands for nothing is refused with what helps, not as a badly encoded one (kind 5)', () => {
  const parsed = parseSettings(MODULES.sections, {
    webhook: { url: 'https://moved.example.com/', secret: MASK },
  });
  expect(parsed).toEqual({ ok: false, problems: [`webhook.secret: ${NOTHING_BEHIND_MASK}`] });
});

describe('what docs/recipes.md tells to set', () => {
  const page = readFileSync(join(__dirname, '../../../docs/recipes.md'), 'utf8');
  const blocks = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, block = '']) => block);

  test.each(blocks)('%s may be set, and is understood', (block) => {
    const secret = Buffer.from('the secret of a webhook').toString('base64');
    const parsed = parseSettings(MODULES.sections, JSON.parse(block.replace('whsec_…', secret)));
    expect(parsed).toMatchObject({ ok: true, warnings: [] });
  });
});

test('where something is missing, what stands there misspelt is named as well', () => {
  expect(problemsOf({ webhooks: { n8n: { ulr: url } } })).toEqual([
    expect.stringContaining('webhooks.n8n.url: is required'),
    expect.stringMatching(/webhooks\.n8n\.ulr: no such field.*did you mean url\?/),
  ]);
  expect(problemsOf({ webhook: { URL: url } })).toContainEqual(expect.stringContaining('did you mean url?'));
});

test('an address that was set by an older version, with a port that is refused now, can still be read', () => {
  const stored = { webhook: { url: 'https://example.com:0/x' } };
  expect(parseSettings(MODULES.sections, stored)).toMatchObject({ ok: true });
});
