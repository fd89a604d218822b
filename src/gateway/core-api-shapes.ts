import { createHash } from 'node:crypto';
import { MASK, maskedUrl } from '../settings/masked-url';
import type { PusherSettings, SwitchSettings, WebhookSettings } from '../settings/schema';
import { pathOf, type Slot, type SlotValue } from '../settings/slot';

/** Answers of set and find: rows of the core API's database (docs/core-api.md#rest) and the relay's own fields. */
export type Row = Readonly<Record<string, unknown>>;

export function rowOf(instance: string, slot: Slot, value: SlotValue): Row {
  const { createdAt = null, updatedAt = null } = value;
  return {
    id: idOf(instance, slot),
    ...fieldsOf(value),
    createdAt,
    updatedAt,
    instanceId: uuidOf(instance),
  };
}

function fieldsOf(value: SlotValue): Row {
  if ('url' in value) return webhookFields(value);
  return 'appId' in value ? pusherFields(value) : switchFields(value);
}

/** Written as `byEvents` and `base64`, read under other names: so does the core API. Header values may be secrets. */
function webhookFields(value: WebhookSettings): Row {
  const { url, headers, enabled, events, byEvents, base64, secret, maxAttempts, timeoutMs } = value;
  return {
    url: maskedUrl(url),
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, MASK])),
    enabled,
    events,
    webhookByEvents: byEvents,
    webhookBase64: base64,
    ...(secret === undefined ? {} : { secret: MASK }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function pusherFields({ enabled, appId, key, cluster, useTLS, host, port, events }: PusherSettings): Row {
  return {
    enabled,
    appId,
    key,
    secret: MASK,
    cluster,
    useTLS,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    events,
  };
}

function switchFields({ enabled, events }: SwitchSettings): Row {
  return { enabled, events };
}

/** The core API's ids are 25 characters that begin with c; ours are always the same for the same thing. */
function idOf(instance: string, slot: Slot): string {
  return `c${hashOf(`${pathOf(slot)} of ${instance}`).slice(0, 24)}`;
}

/** Stands for the core API's id of an instance, which the relay does not know (RFC 9562, version 8). */
export function uuidOf(instance: string): string {
  const hex = hashOf(instance);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
