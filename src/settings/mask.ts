import type { Settings, WebhookSettings } from './schema';

/** Stands for a secret that is stored. */
export const MASK = '********';

/** Settings as they may be shown: secrets are write-only, and headers are where people put theirs. */
export function masked(settings: Settings): Settings {
  const { token, webhook, webhooks, pusher, ...others } = settings;
  return {
    ...(token === undefined ? {} : { token: MASK }),
    ...others,
    ...(webhook === undefined ? {} : { webhook: maskedWebhook(webhook) }),
    webhooks: Object.fromEntries(Object.entries(webhooks).map(([name, each]) => [name, maskedWebhook(each)])),
    ...(pusher === undefined ? {} : { pusher: { ...pusher, secret: MASK } }),
  };
}

export function maskedWebhook({ headers, secret, ...others }: WebhookSettings): WebhookSettings {
  return {
    ...others,
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, MASK])),
    ...(secret === undefined ? {} : { secret: MASK }),
  };
}

/** Where masks stand for secrets that are not stored: `webhook.secret`. */
export function pathsOfMasks(value: unknown, path: readonly string[] = []): string[] {
  if (value === MASK) return [path.join('.')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => pathsOfMasks(item, [...path, name]));
}
