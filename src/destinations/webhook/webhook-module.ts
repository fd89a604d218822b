import type { DestinationModule } from '../module';
import { inspectWebhooks } from './webhook-doctor';
import { webhookSection } from './webhook-section';
import { Webhooks } from './webhooks';

export const webhookModule: DestinationModule = {
  kind: 'webhook',
  section: webhookSection,
  eventsPerRequest: 1,
  global: { name: 'WEBHOOK_GLOBAL_URL', isSet: ({ globalWebhook }) => globalWebhook !== undefined },
  open: ({ config }) => new Webhooks(config),
  inspect: ({ config, settings }) => inspectWebhooks(config, settings),
};
