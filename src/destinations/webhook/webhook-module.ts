import { inspectAddresses } from '../http/address-doctor';
import type { DestinationModule } from '../module';
import { webhookConfig } from './webhook-config';
import { webhookSection } from './webhook-section';
import { WebhookTests } from './webhook-test-routes';
import { Webhooks } from './webhooks';

export const webhookModule: DestinationModule = {
  kind: 'webhook',
  config: webhookConfig,
  section: webhookSection,
  eventsPerRequest: 1,
  global: { name: 'WEBHOOK_GLOBAL_URL', isSet: (config) => webhookConfig.of(config).global !== undefined },
  open: ({ config }) => new Webhooks(config),
  routes: (context) => new WebhookTests(context),
  inspect: ({ config, settings }) =>
    inspectAddresses({
      kind: 'webhook',
      section: webhookSection,
      global: webhookConfig.of(config).global?.url,
      config,
      settings,
    }),
};
