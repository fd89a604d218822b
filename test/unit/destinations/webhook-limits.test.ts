import type { WebhookSettings } from '../../../src/destinations/webhook/webhook-section';
import { Webhooks } from '../../../src/destinations/webhook/webhooks';
import { MODULES } from '../../../src/modules';
import type { DestinationId } from '../../../src/pipeline/delivery';

const ENVIRONMENT = { WEBHOOK_REQUEST_TIMEOUT_MS: '20000', WEBHOOK_RETRY_MAX_ATTEMPTS: '8' };
const WEBHOOK = {
  enabled: true,
  url: 'https://example.com/hook',
  byEvents: false,
  base64: false,
  headers: {},
  events: [],
};

test.each([
  [{}, { timeoutMs: 20_000, maxAttempts: 8 }],
  [
    { timeoutMs: 1000, maxAttempts: 2 },
    { timeoutMs: 1000, maxAttempts: 2 },
  ],
  [
    { timeoutMs: 600_000, maxAttempts: 100 },
    { timeoutMs: 20_000, maxAttempts: 8 },
  ],
])('a tenant may ask for less than the operator allows, never for more: %j', async (given, expected) => {
  const { config } = MODULES.loadConfig(__dirname, ENVIRONMENT);
  const webhooks = new Webhooks(config);
  const settings: WebhookSettings = { ...WEBHOOK, ...given };
  expect(webhooks.destination('webhook:instance/loja' as DestinationId, settings)).toMatchObject(expected);
  await webhooks.close();
});
