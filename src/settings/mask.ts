import { MASK, maskedUrl } from './masked-url';
import type { Settings, WebhookSettings } from './schema';

export { MASK };

/** Settings as they may be shown: secrets are write-only, and headers and addresses are where people put theirs. */
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

export function maskedWebhook({ url, headers, secret, ...others }: WebhookSettings): WebhookSettings {
  return {
    ...others,
    url: maskedUrl(url),
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, MASK])),
    ...(secret === undefined ? {} : { secret: MASK }),
  };
}

/** Where masks stand for what is not stored, or not to be used again: `webhook.secret`, `webhook.url`. */
export function pathsOfMasks(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value === 'string') return isMasked(value, path.at(-1)) ? [path.join('.')] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => pathsOfMasks(item, [...path, name]));
}

function isMasked(text: string, field: string | undefined): boolean {
  return text === MASK || (field === 'url' && text.includes(MASK));
}
