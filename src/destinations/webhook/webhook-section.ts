import { z } from 'zod';
import { isHeader, isSigningKey } from '../../config/formats';
import { deliveryFields } from '../../settings/delivery-fields';
import { maskedSection } from '../../settings/mask';
import { MASK, maskedUrl, NOTHING_BEHIND_MASK } from '../../settings/masked-url';
import { Section } from '../../settings/section';
import { enabledField, eventsField, timeFields } from '../../settings/section-fields';
import { ADDRESS_RULES, addressField } from '../http/http-address';

const MAX_HEADERS = 50;
const MAX_HEADER_NAME_BYTES = 255;
const MAX_HEADER_VALUE_BYTES = 8192;
const MAX_WEBHOOKS = 50;

const headers = z
  .record(z.string(), z.string())
  .refine(
    (value) => Object.entries(value).every(([name, text]) => isHeader(name, text)),
    'must be header names with values in Latin-1',
  )
  .refine((value) => Object.keys(value).length <= MAX_HEADERS, `must be no more than ${MAX_HEADERS}`)
  .refine(
    (value) => Object.keys(value).every((name) => Buffer.byteLength(name) <= MAX_HEADER_NAME_BYTES),
    `must have names of no more than ${MAX_HEADER_NAME_BYTES} bytes`,
  )
  .refine(
    (value) =>
      Object.values(value).every((text) => Buffer.byteLength(text, 'latin1') <= MAX_HEADER_VALUE_BYTES),
    `must have values of no more than ${MAX_HEADER_VALUE_BYTES} bytes`,
  )
  .default({})
  .describe('sent with every request; jwt_key becomes a signed bearer token');

const signingSecret = z
  .string()
  .max(1000)
  .refine((value) => value.split(',').every(isSigningKey), {
    error: ({ input }) =>
      input === MASK ? NOTHING_BEHIND_MASK : 'must be base64 of at least 16 bytes, with or without whsec_',
  })
  .describe('signs requests (Standard Webhooks); two, separated by a comma, while rotating');

const fields = z.object({
  enabled: enabledField,
  url: addressField,
  byEvents: z.boolean().default(false).describe('append /messages-upsert and so on to the address'),
  base64: z.boolean().default(false).describe('leave media base64 in data.message'),
  headers,
  events: eventsField,
  secret: signingSecret.optional(),
  maxAttempts: z.int().min(1).max(100).optional().describe('attempts in all, the direct one included'),
  timeoutMs: z.int().min(1).max(600_000).optional().describe('whole request, milliseconds'),
  ...deliveryFields,
  ...timeFields,
});

export type WebhookSettings = z.output<typeof fields>;

/** Names of the fields in older flat bodies and in the core API's answers (docs/core-api.md#rest). */
const OLDER_NAMES = {
  webhookUrl: 'url',
  webhook_by_events: 'byEvents',
  webhookByEvents: 'byEvents',
  webhook_base64: 'base64',
  webhookBase64: 'base64',
  webhookHeaders: 'headers',
  webhookEvents: 'events',
};

const webhookName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, hyphens, underscores');

/** An instance has one webhook that the core API knows, and further ones of the relay's own. */
export const webhookSection: Section<WebhookSettings> = new Section<WebhookSettings>({
  name: 'webhook',
  fields,
  olderNames: OLDER_NAMES,
  named: { field: 'webhooks', name: webhookName, max: MAX_WEBHOOKS },
  secrets: { url: 'address', headers: 'values', secret: 'text' },
  ...ADDRESS_RULES,
  // Written as `byEvents` and `base64`, read under other names: so does the core API.
  row: (value) => {
    const { byEvents, base64, createdAt: _createdAt, updatedAt: _updatedAt, ...others } = shown(value);
    return { ...others, webhookByEvents: byEvents, webhookBase64: base64 };
  },
  summary: (value) => ({
    webhookUrl: maskedUrl(value.url),
    webhookHeaders: shown(value).headers,
    webhookByEvents: value.byEvents,
    webhookBase64: value.base64,
  }),
});

/** Header values may be secrets. */
function shown(value: WebhookSettings): WebhookSettings {
  return maskedSection(webhookSection, value);
}
