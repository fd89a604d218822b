import type { Settings, WebhookSettings } from './schema';

const MASK = '********';

/** Settings as they may be shown: secrets are write-only, and headers are where people put theirs. */
export function masked(settings: Settings): Settings {
  const { webhook, webhooks, pusher, ...others } = settings;
  return {
    ...others,
    ...(webhook === undefined ? {} : { webhook: maskedWebhook(webhook) }),
    webhooks: Object.fromEntries(Object.entries(webhooks).map(([name, each]) => [name, maskedWebhook(each)])),
    ...(pusher === undefined ? {} : { pusher: { ...pusher, secret: MASK } }),
  };
}

function maskedWebhook({ headers, secret, ...others }: WebhookSettings): WebhookSettings {
  return {
    ...others,
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, MASK])),
    ...(secret === undefined ? {} : { secret: MASK }),
  };
}
