import axios from 'axios';
import jwt from 'jsonwebtoken';

/**
 * The core API's own webhook transport, after its `webhook.controller.ts` (2.3.6): what it makes of an event, sent by the
 * HTTP client that it uses. What the relay sends is compared with it.
 */

/** Its row of an instance's webhook. */
export interface WebhookRow {
  readonly enabled: boolean;
  readonly url: string;
  readonly webhookByEvents: boolean;
  readonly headers: Readonly<Record<string, unknown>> | null;
}

export interface ControllerConfig {
  /** WEBHOOK_GLOBAL_URL. */
  readonly globalUrl: string;
  readonly globalByEvents: boolean;
}

/** What it publishes to RabbitMQ of the same event. */
export interface EmittedEvent {
  readonly event: string;
  readonly instance: string;
  readonly data: unknown;
  readonly server_url?: string;
  readonly date_time?: string;
  readonly sender?: string;
  readonly apikey?: string | null;
  readonly [extra: string]: unknown;
}

export type WebhookMode = 'local' | 'global';

/** Sends one event as its instance's webhook, or the global one, gets it. */
export async function emitWebhook(
  mode: WebhookMode,
  emitted: EmittedEvent,
  { globalUrl, globalByEvents }: ControllerConfig,
  row: WebhookRow | null,
): Promise<void> {
  const { event, instance, data, server_url, date_time, sender, apikey, ...extra } = emitted;
  const suffix = event.replace(/[.-]/g, '_').toUpperCase().replace(/_/g, '-').toLowerCase();
  const body = {
    event,
    instance,
    data,
    destination: row?.url || `${globalUrl}/${suffix}`,
    date_time,
    sender,
    server_url,
    apikey,
    ...extra,
  };
  const isLocal = mode === 'local';
  const url = isLocal ? (row?.url ?? '') : globalUrl;
  const byEvents = isLocal ? row?.webhookByEvents === true : globalByEvents;
  const service = axios.create({
    baseURL: byEvents ? `${url}/${suffix}` : url,
    ...(isLocal ? { headers: headersOf(row) } : {}),
    timeout: 30_000,
  });
  await service.post('', body);
}

function headersOf(row: WebhookRow | null): Record<string, string> {
  const headers: Record<string, unknown> = { ...row?.headers };
  if ('jwt_key' in headers) {
    headers['Authorization'] = `Bearer ${token(String(headers['jwt_key']))}`;
    delete headers['jwt_key'];
  }
  // It hands them on as they are stored, whatever their types.
  return headers as Record<string, string>;
}

function token(key: string): string {
  const now = Math.floor(Date.now() / 1000);
  return jwt.sign({ iat: now, exp: now + 600, app: 'evolution', action: 'webhook' }, key, {
    algorithm: 'HS256',
  });
}
