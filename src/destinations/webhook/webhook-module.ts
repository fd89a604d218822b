import type { DestinationModule } from '../module';
import { webhookConfig } from './webhook-config';
import { inspectWebhooks } from './webhook-doctor';
import { webhookSection } from './webhook-section';
import { WebhookTests } from './webhook-test-routes';
import { Webhooks } from './webhooks';

export const webhookModule: DestinationModule = {
  kind: 'webhook',
  config: webhookConfig,
  section: webhookSection,
  eventsPerRequest: 1,
  global: {
    name: 'WEBHOOK_GLOBAL_URL',
    isSet: (config) => webhookConfig.of(config).global !== undefined,
  },
  globalWants: (config) => webhookConfig.of(config).global,
  open: ({ config }) => new Webhooks(config),
  routes: (context) => new WebhookTests(context),
  inspect: ({ config, settings }) => inspectWebhooks(config, settings),
};
