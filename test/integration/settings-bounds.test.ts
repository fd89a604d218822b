import { GatewayHarness } from '../support/harness/gateway-harness';
import { eventually } from '../support/signals/signals';

jest.setTimeout(180_000);

const HOOK = 'https://example.com/hook';

describe('what may be set', () => {
  let harness: GatewayHarness;
  beforeAll(async () => {
    harness = await GatewayHarness.start({ RABBITMQ_CONSUME: 'shared' });
    const body = { instanceName: 'loja', token: 'token-of-loja' };
    expect((await harness.ask('POST', '/instance/create', { body })).status).toBe(201);
  });
  afterAll(() => harness.close());

  it('secrets without a key to encrypt them with are warned of once at the start (finding 5.5)', async () => {
    const started = await harness.startProcess();
    await eventually(
      () => (started.log.includes('SETTINGS_ENCRYPTION_KEY') ? true : undefined),
      'a warning that names the variable',
    );
    expect(started.log.match(/stored unencrypted in Redis/g)).toHaveLength(1);
  });

  it.each([
    ['webhook', { webhook: { url: HOOK, events: ['MESSAGE_UPSRT'] } }],
    ['rabbitmq', { rabbitmq: { enabled: true, events: ['字'.repeat(100)] } }],
    ['settings', { sqs: { events: ['CALL', 'CALLS'] } }],
  ])('a tenant names events of the catalogue only: %s (finding 1.10)', async (section, body) => {
    const tenant = await harness.ask('POST', `/${section}/set/loja`, { body, key: 'token-of-loja' });
    expect(tenant.status).toBe(400);
    expect(tenant.text).toMatch(/did you mean|no more than 100 bytes/);
  });

  it('the operator may name those of a later core API, with a warning; the tenant keeps them', async () => {
    const body = { webhook: { url: HOOK, events: ['BRAND_NEW'] } };
    const operator = await harness.ask('POST', '/webhook/set/loja', { body });
    expect([operator.status, operator.text]).toEqual([201, expect.stringContaining('BRAND_NEW is none')]);
    const tenant = await harness.ask('POST', '/webhook/set/loja', { body, key: 'token-of-loja' });
    expect(tenant.status).toBe(201);
  });

  it('names that a broker cannot take are refused where a broker is asked for (finding 2.2)', async () => {
    const long = encodeURIComponent('n'.repeat(245));
    const body = { rabbitmq: { enabled: true, events: [] } };
    const refused = await harness.ask('POST', `/rabbitmq/set/${long}`, { body });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('255 bytes')]);
    expect((await harness.ask('POST', `/webhook/set/${long}`, { body: { url: HOOK } })).status).toBe(201);
  });

  it('settings of no more than 64 KB, values of no more than 8 KB (finding 1.9)', async () => {
    const webhooks = (count: number, bytes: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `w${i}`,
          { url: HOOK, headers: { 'x-a': 'v'.repeat(bytes) } },
        ]),
      );
    const large = await harness.ask('POST', '/settings/set/loja', { body: { webhooks: webhooks(9, 8000) } });
    expect([large.status, large.text]).toEqual([400, expect.stringContaining('no more than 65536 bytes')]);
    const value = await harness.ask('POST', '/settings/set/loja', { body: { webhooks: webhooks(1, 9000) } });
    expect([value.status, value.text]).toEqual([400, expect.stringContaining('no more than 8192 bytes')]);
    const body = { webhooks: webhooks(20, 8000) };
    const document = await harness.ask('POST', '/settings/set/loja', { body });
    expect([document.status, document.text]).toEqual([400, expect.stringContaining('65536 bytes')]);
  });

  it.each([
    [
      'nested 5,000 deep',
      `{"webhook":{"url":"${HOOK}","headers":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}}`,
      400,
    ],
    [
      'with 9,000 unknown keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, 1]))),
      201,
    ],
    [
      'with 85,000 unknown keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 85_000 }, (_, i) => [`k${i}`, 1]))),
      413,
    ],
  ])('a body %s is answered with some lines (finding 4.7)', async (_what, body, status) => {
    const answer = await harness.ask('POST', '/webhook/set/loja', { body });
    expect(answer.status).toBe(status);
    expect(answer.text.length).toBeLessThan(20_000);
    if (status === 201)
      expect(answer.body).toMatchObject({
        warnings: expect.arrayContaining([expect.stringMatching(/^and 898\d more$/)]),
      });
  });

  it('stored headers are not sent to another origin, and tokens in addresses are never shown (finding 5.4)', async () => {
    const url = 'https://user:passw0rd@example.com/hook?token=s3cret';
    const headers = { authorization: 'Bearer s3cret' };
    const set = await harness.ask('POST', '/webhook/set/loja', {
      body: { webhook: { url, headers, events: [] } },
    });
    // Access in addresses may be refused as such.
    const given = set.status === 201 ? url : 'https://example.com/hook?token=s3cret';
    if (set.status !== 201) {
      const again = { webhook: { url: given, headers, events: [] } };
      expect((await harness.ask('POST', '/webhook/set/loja', { body: again })).status).toBe(201);
    }
    const found = await harness.ask('GET', '/webhook/find/loja');
    expect(found.text).not.toMatch(/s3cret|passw0rd/);
    expect((await harness.ask('GET', '/settings/find/loja')).text).not.toMatch(/s3cret|passw0rd/);
    const moved = { webhook: { url: 'https://attacker.example/' } };
    const refused = await harness.ask('POST', '/webhook/set/loja', { body: moved, key: 'token-of-loja' });
    expect([refused.status, refused.text]).toEqual([
      400,
      expect.stringContaining(
        'webhook.headers.authorization: give the value itself: what is stored belongs to another address',
      ),
    ]);
    const back = await harness.ask('POST', '/webhook/set/loja', { body: { webhook: found.body } });
    expect(back.status).toBe(201);
    const redis = harness.connectRedis();
    const stored = JSON.parse((await harness.stored(redis, 'loja')) ?? '{}') as object;
    redis.disconnect();
    expect(stored).toMatchObject({ webhook: { url: given, headers } });
  });
});
