import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { MODULES } from '../../src/modules';
import { parseSettings } from '../../src/settings/document';
import { masked } from '../../src/settings/mask';
import type { Settings } from '../../src/settings/section';
import { GatewayHarness } from '../support/harness/gateway-harness';

jest.setTimeout(120_000);

const RUNS = 250;

/** Mostly right, sometimes anything at all. */
const orGarbage = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 60, arbitrary: right },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        null,
        '',
        '********',
        0,
        -1,
        Number.MAX_VALUE,
        [],
        {},
        true,
        '\u0000',
        '\ud800',
      ),
    },
  );

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('a', 'Ω 👋', '__proto__', 'constructor'),
);
const word = fc.string({ minLength: 1, maxLength: 100 });
const mostly = (right: fc.Arbitrary<unknown>, wrong: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 15, arbitrary: right }, { weight: 1, arbitrary: wrong });
const url = mostly(
  fc.constantFrom('https://example.com/hook', 'https://example.com:8443/a?b=c#d', 'https://exämple.com/ü'),
  fc.constantFrom('http://127.0.0.1/', 'http://user:pass@example.com/', 'ftp://example.com', 'hook'),
);
const events = fc.array(
  mostly(fc.constantFrom('CALL', 'MESSAGES_UPSERT', 'messages.upsert', 'NEW', '👋'), text),
  { maxLength: 4 },
);
const moment = fc.constantFrom('2020-01-01T00:00:00.000Z', 'yesterday');
const fields = (record: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  orGarbage(
    fc.record(Object.fromEntries(Object.entries(record).map(([name, value]) => [name, orGarbage(value)])), {
      requiredKeys: [],
    }),
  );
const shared = { enabled: fc.boolean(), events, createdAt: moment, updatedAt: moment, id: text };
const webhook = fields({
  ...shared,
  url,
  byEvents: fc.boolean(),
  webhookBase64: fc.boolean(),
  headers: mostly(
    fc.dictionary(
      fc.constantFrom('a', 'x-b', 'jwt_key', 'constructor'),
      fc.constantFrom('b', 'ü', 'Bearer x'),
      { maxKeys: 3 },
    ),
    fc.dictionary(text, text),
  ),
  secret: mostly(fc.constant('whsec_c2VjcmV0LW9mLWF0LWxlYXN0LTE2'), fc.constantFrom('short', '********')),
  maxAttempts: mostly(fc.integer({ min: 1, max: 100 }), fc.integer()),
  timeoutMs: mostly(fc.integer({ min: 1, max: 600_000 }), fc.double()),
});
const section = fields(shared);
const document = fields({
  token: mostly(fc.constant('a-long-enough-token'), fc.constantFrom('short', '********')),
  webhook,
  webhooks: fc.dictionary(fc.constantFrom('n8n', 'constructor', 'a.b'), webhook, { maxKeys: 2 }),
  pusher: fields({
    ...shared,
    appId: mostly(fc.constantFrom('1234567', 'app-1'), word),
    key: word,
    secret: word,
    cluster: mostly(fc.constantFrom('us2', 'eu'), word),
    useTLS: fc.boolean(),
  }),
  websocket: section,
  rabbitmq: section,
  sqs: section,
  instanceName: text,
});

let harness: GatewayHarness;
let redis: Redis;
const name = 'loja';

beforeAll(async () => {
  harness = await GatewayHarness.start();
  redis = harness.connectRedis();
});
afterAll(async () => {
  redis.disconnect();
  await harness.close();
});

const stored = async (): Promise<string | null> => harness.stored(redis, name);

/** Before or after, and nothing between: what is stored is understood, and is what was answered or what was there. */
async function checkStored(status: number, before: string | null): Promise<Settings | undefined> {
  const after = await stored();
  if (status !== 201) {
    expect(after).toBe(before);
    return undefined;
  }
  const parsed = parseSettings(MODULES.sections, JSON.parse(after ?? 'null'));
  if (!parsed.ok) throw new Error(`stored, but not understood: ${parsed.problems.join('; ')}`);
  // Nothing is lost when it is read: what is stored is what is in force.
  expect(JSON.parse(JSON.stringify(parsed.settings))).toEqual(JSON.parse(after ?? 'null'));
  return parsed.settings;
}

const bodyOf = (value: unknown): string => JSON.stringify(value) ?? '';

test('any document over POST /settings/set is stored whole, or refused and nothing changes', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(document, async (given) => {
      const before = await stored();
      const answer = await harness.ask('POST', `/settings/set/${name}`, { body: bodyOf(given) });
      expect([201, 400]).toContain(answer.status);
      const settings = await checkStored(answer.status, before);
      if (settings === undefined) {
        expect(answer.body).toMatchObject({ status: 400, error: 'Bad Request', response: expect.anything() });
        return;
      }
      taken++;
      const { warnings: _warnings, ...shown } = answer.body as Record<string, unknown>;
      expect(shown).toEqual(JSON.parse(JSON.stringify(masked(MODULES.sections, settings))));
      expect((await harness.ask('GET', `/settings/find/${name}`)).body).toEqual(shown);
    }),
    { numRuns: RUNS },
  );
  // Pusher's names are strict: fewer documents are taken than bodies of webhooks.
  expect(taken).toBeGreaterThan(RUNS / 20);
});

test('any body over POST /webhook/set, nested or flat, likewise', async () => {
  let taken = 0;
  const body = fc.oneof(webhook, fc.record({ webhook }));
  await fc.assert(
    fc.asyncProperty(
      body,
      fc.constantFrom('', '/n8n', '/constructor', '/__proto__'),
      async (given, webhookName) => {
        const before = await stored();
        const path = `${name}${webhookName}`;
        const answer = await harness.ask('POST', `/webhook/set/${path}`, { body: bodyOf(given) });
        expect([201, 400]).toContain(answer.status);
        if ((await checkStored(answer.status, before)) === undefined) return;
        taken++;
        const { warnings: _warnings, ...row } = answer.body as Record<string, unknown>;
        expect((await harness.ask('GET', `/webhook/find/${path}`)).body).toEqual(row);
      },
    ),
    { numRuns: RUNS },
  );
  expect(taken).toBeGreaterThan(RUNS / 10);
});

test('many at once, each change is whole: none is lost, none is mixed with another', async () => {
  await harness.ask('DELETE', `/instance/delete/${name}`);
  const sections = ['websocket', 'rabbitmq', 'sqs'];
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      index % 2 === 0
        ? harness.ask('POST', `/webhook/set/${name}/hook-${index}`, {
            body: { url: `https://example.com/${index}` },
          })
        : harness.ask('POST', `/${sections[index % 3]}/set/${name}`, {
            body: { enabled: true, events: [`EVENT_${index}`] },
          }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  const { webhooks, ...others } = JSON.parse((await stored()) ?? '{}') as {
    webhooks: Record<string, { url: string }>;
  };
  expect(
    Object.entries(webhooks)
      .map(([key, { url: address }]) => [key, address])
      .sort(),
  ).toEqual([0, 10, 2, 4, 6, 8].map((index) => [`hook-${index}`, `https://example.com/${index}`]));
  for (const each of sections) expect(others).toHaveProperty(each);
});
