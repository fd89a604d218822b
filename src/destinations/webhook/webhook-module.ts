import type { DestinationModule } from '../module';
import { webhookConfig } from './webhook-config';
import { webhookSection } from './webhook-section';
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
  routes: async (context) => {
    const { WebhookTests } = await import('./webhook-test-routes.js');
    return new WebhookTests(context);
  },
  inspect: async ({ config, settings }) => {
    const { inspectAddresses } = await import('../http/address-doctor.js');
    return inspectAddresses({
      kind: 'webhook',
      section: webhookSection,
      global: webhookConfig.of(config).global?.url,
      config,
      settings,
    });
  },
};
