import { type Alert, alertBody } from '../../../src/alerts/alert-body';
import type { AlertMessage, Condition } from '../../../src/alerts/alert-causes';
import { type AlertFormat, alertsOf } from '../../../src/config/alert-config';
import { Reading } from '../../../src/config/reading';

const NOW = Date.UTC(2026, 0, 5);
const TELEGRAM = 'https://api.telegram.org/bot12:abc/sendMessage?chat_id=-100&message_thread_id=7';
/** An instance's name, as a tenant may choose it. */
const HOSTILE = '`<!channel>` @everyone <@1> [x](https://evil.example) **b** </code><b>&\n# t\u202e';

function silent(subject: string): Condition {
  return { cause: 'instance-silent', subject, since: NOW - 3_600_000, why: 'closed' };
}

function began(items: readonly Condition[]): AlertMessage {
  return { kind: 'began', cause: 'instance-silent', items, total: items.length };
}

function bodyOf(format: AlertFormat, alert: Alert, relay = 'evolution-relay'): Record<string, unknown> {
  const url = format === 'telegram' ? TELEGRAM : 'https://example.com/alerts';
  return JSON.parse(alertBody(alert, { format, url, relay, now: NOW }).toString()) as Record<string, unknown>;
}

test('json: cause, kind, number, a text for people and what it is about', () => {
  expect(bodyOf('json', began([silent('loja')]))).toEqual({
    event: 'relay.alert',
    relay: 'evolution-relay',
    cause: 'instance-silent',
    kind: 'began',
    text: '1 instance is silent\nloja for 1 h: it is disconnected: connect it again in the core API',
    total: 1,
    items: [silent('loja')],
    date_time: '2026-01-05T00:00:00.000Z',
  });
});

const FAILING: Condition = {
  ...{ cause: 'destination-failing', subject: 'webhook:instance/loja', since: NOW - 120_000 },
  ...{ code: 'HTTP_503', status: 503, address: 'https://example.com/hook' },
};
const REJECTING: Condition = {
  ...{
    cause: 'destination-failing',
    subject: 'webhook:instance/bar',
    since: NOW - 180_000,
    state: 'rejecting',
  },
  ...{ code: 'HTTP_404', status: 404, address: 'https://example.com/n8n' },
};

test.each<readonly [name: string, items: readonly Condition[], text: string]>([
  [
    'rejects everything: that, and what to do',
    [REJECTING],
    '1 destination rejects every event\nwebhook:instance/bar has rejected every event for 3 min: HTTP_404 at https://example.com/n8n. Its events become dead letters: mend the address or what answers there, then replay them',
  ],
  [
    'fails: as ever',
    [FAILING],
    '1 destination fails\nwebhook:instance/loja for 2 min: HTTP_503 at https://example.com/hook',
  ],
  [
    'does not answer: why',
    [{ ...FAILING, code: 'ENOTFOUND', status: 0 }],
    '1 destination fails\nwebhook:instance/loja for 2 min: ENOTFOUND at https://example.com/hook (the host name in its address does not exist)',
  ],
])('a destination that %s', (_name, items, text) => {
  const message: AlertMessage = { kind: 'began', cause: 'destination-failing', items, total: items.length };
  expect(bodyOf('json', message)).toMatchObject({ cause: 'destination-failing', text, items });
});

test('destinations that fail and that reject everything share a message, with a line that says which', () => {
  const items = [FAILING, REJECTING];
  const message: AlertMessage = { kind: 'goes-on', cause: 'destination-failing', items, total: 2 };
  const [title, ...lines] = String(bodyOf('json', message)['text']).split('\n');
  expect([title, lines.map((line) => line.includes('has rejected every event'))]).toEqual([
    'Still so: 2 destinations fail',
    [false, true],
  ]);
});

test('slack: a name is code, in which nothing is a mention, a link or a line of its own', () => {
  const { text, ...others } = bodyOf('slack', began([silent(HOSTILE)]));
  expect(others).toEqual({ link_names: 0, unfurl_links: false, unfurl_media: false });
  const [title = '', line = '', ...rest] = String(text).split('\n');
  expect([title, rest]).toEqual(['1 instance is silent (`evolution-relay`)', []]);
  expect(line.match(/`/g)).toHaveLength(2);
  expect(line).not.toMatch(/[<>]|&(?!(?:amp|lt|gt);)|@(?!\u200b)|\u202e/);
});

test('discord: a name is code, and nobody is mentioned', () => {
  const { content, ...others } = bodyOf('discord', began([silent(HOSTILE)]));
  expect(others).toEqual({ allowed_mentions: { parse: [] }, flags: 4 });
  const line = String(content).split('\n')[1] ?? '';
  expect([line.match(/`/g)?.length, line.startsWith('• `')]).toEqual([2, true]);
  expect(line.slice(line.lastIndexOf('`'))).toBe(
    '` for 1 h: it is disconnected: connect it again in the core API',
  );
});

test('telegram: the chat of the address, and a name that cannot end its code', () => {
  const { text, ...others } = bodyOf('telegram', began([silent(HOSTILE)]));
  expect(others).toEqual({
    chat_id: '-100',
    message_thread_id: '7',
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
  });
  const line = String(text).split('\n')[1] ?? '';
  expect(line.match(/<[^>]*>/g)).toEqual(['<code>', '</code>']);
});

test.each([
  ['slack', 'text', 12_100],
  ['discord', 'content', 2000],
  ['telegram', 'text', 4096],
] as const)('%s: a digest of long names stays within what it takes', (format, field, most) => {
  const many = Array.from({ length: 4000 }, (_, index) => silent(`${'&'.repeat(1000)}${index}`));
  const text = String(bodyOf(format, began(many))[field]);
  expect(text.length).toBeLessThanOrEqual(most);
  expect(text).toMatch(/more/);
});

test('a digest names ten, and counts the others', () => {
  const many = Array.from({ length: 4000 }, (_, index) => silent(`loja-${index}`));
  const { text, total, items } = bodyOf('json', began(many));
  expect([total, (items as unknown[]).length]).toEqual([4000, 10]);
  expect(String(text)).toMatch(/^4000 instances are silent\n(?:.*\n){10}and 3990 more$/);
});

test.each(['json', 'slack', 'discord', 'telegram'] as const)('%s: a test says that it is one', (format) => {
  expect(JSON.stringify(bodyOf(format, { kind: 'test', cause: 'test' }))).toMatch(/This is a test/);
});

describe('the form of alerts', () => {
  const values = {
    ALERT_WEBHOOK_SECRET: [],
    ALERT_FORMAT: 'auto',
    ALERT_INTERVAL_SECONDS: 900,
    ALERT_BACKLOG_SECONDS: 900,
  } as const;
  test.each([
    ['https://hooks.slack.com/services/T/B/x', 'slack'],
    ['https://discord.com/api/webhooks/1/x', 'discord'],
    ['https://canary.discord.com/api/webhooks/1/x', 'discord'],
    ['https://discordapp.com/api/webhooks/1/x/slack', 'slack'],
    [TELEGRAM, 'telegram'],
    ['https://example.com/hooks.slack.com', 'json'],
    ['https://notdiscord.com/api', 'json'],
  ])('%s is that of %s', (url, format) => {
    const reading = new Reading({});
    expect(alertsOf({ ...values, ALERT_WEBHOOK_URL: url }, reading).format).toBe(format);
    expect(reading.problems).toEqual([]);
  });

  test.each([
    [
      'an address of Telegram without a chat',
      { ALERT_WEBHOOK_URL: 'https://api.telegram.org/bot1:a/sendMessage' },
    ],
    [
      'Telegram at an address of another method',
      { ALERT_WEBHOOK_URL: 'https://api.telegram.org/bot1:a/getMe?chat_id=1' },
    ],
    ['a secret that is too short', { ALERT_WEBHOOK_URL: undefined, ALERT_WEBHOOK_SECRET: ['c2hvcnQ='] }],
  ])('%s is wrong', (_what, wrong) => {
    const reading = new Reading({});
    alertsOf({ ...values, ...wrong }, reading);
    expect(reading.problems).toEqual([expect.stringMatching(/^ALERT_/)]);
  });
});
