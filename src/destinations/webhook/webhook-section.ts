import { z } from 'zod';
import { isHeader, isSigningKey, isVerifiableKey, UNVERIFIABLE_KEY } from '../../config/formats';
import { maskedSection } from '../../settings/mask';
import { MASK, maskedUrl, NOTHING_BEHIND_MASK } from '../../settings/masked-url';
import { isFields, Section } from '../../settings/section';
import { enabledField, eventsField, timeFields } from '../../settings/section-fields';
import { destinationFields, destinationWarnings } from '../destination-fields';
import { ADDRESS_RULES, addressField, NEEDS_ADDRESS } from '../http/http-address';
import { reservedHeaders } from './headers';

const MAX_HEADERS = 50;
const MAX_HEADER_NAME_BYTES = 255;
const MAX_HEADER_VALUE_BYTES = 8192;
const MAX_WEBHOOKS = 50;

/** As the core API's HTTP client sends them: numbers, `true` and lists as text, and nothing for null and `false`. */
function asSent(value: unknown): unknown {
  if (!isFields(value)) return value;
  const sent = Object.entries(value).filter(
    ([, item]) => item !== null && item !== undefined && item !== false,
  );
  return Object.fromEntries(
    sent.map(([name, item]) => [
      name,
      Array.isArray(item) && item.every(isPlain) ? item.join(', ') : asText(item),
    ]),
  );
}

function isPlain(item: unknown): boolean {
  return typeof item === 'string' || typeof item === 'number';
}

function asText(item: unknown): unknown {
  return typeof item === 'number' || item === true ? String(item) : item;
}

const headers = z
  .preprocess(asSent, z.record(z.string(), z.string('must have values that are text')))
  .superRefine((value, context) => {
    for (const [name, text] of Object.entries(value))
      if (!isHeader(name, text))
        context.addIssue({
          code: 'custom',
          message: `${JSON.stringify(name)} must be a header name with a value in Latin-1`,
        });
  })
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

const fields = z
  .object({
    enabled: enabledField,
    url: addressField,
    byEvents: z.boolean().default(false).describe('append /messages-upsert and so on to the address'),
    base64: z
      .boolean()
      .optional()
      .describe('false leaves media base64 out of data.message; not set: what the event holds is sent'),
    headers,
    events: eventsField,
    secret: signingSecret.optional(),
    maxAttempts: z.int().min(1).max(100).optional().describe('attempts in all, the direct one included'),
    timeoutMs: z.int().min(1).max(600_000).optional().describe('whole request, milliseconds'),
    ...destinationFields,
    ...timeFields,
  })
  .refine(...NEEDS_ADDRESS);

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
  flatOnly: ['webhookByEvents', 'webhook_by_events', 'webhookBase64', 'webhook_base64'],
  named: { field: 'webhooks', name: webhookName, max: MAX_WEBHOOKS },
  secrets: { url: 'address', headers: 'values', secret: 'text' },
  ...ADDRESS_RULES,
  checker: (config) => {
    const addresses = ADDRESS_RULES.checker(config);
    return {
      check: (instance, value, path) => {
        if (!value.enabled) return {};
        const address = addresses.check(instance, value, path);
        const key = secretProblem(value.secret);
        return {
          problems: [...(address.problems ?? []), ...(key === undefined ? [] : [`${path}.secret: ${key}`])],
          warnings: [
            ...reservedHeaders(value.headers).map((name) => `${path}.headers.${name}: ${NOT_SENT}`),
            ...(destinationWarnings(value, path, config).warnings ?? []),
          ],
        };
      },
    };
  },
  inspection: {
    check: 'secret',
    problemOf: (_config, _instance, { secret }) => {
      const problem = secretProblem(secret);
      return problem === undefined ? undefined : `the secret of a webhook ${problem}`;
    },
  },
  // Written as `byEvents` and `base64`, read under other names: so does the core API.
  row: (value) => {
    const { byEvents, base64, createdAt: _createdAt, updatedAt: _updatedAt, ...others } = shown(value);
    return { ...others, webhookByEvents: byEvents, webhookBase64: base64 ?? false };
  },
  summary: (value) => ({
    webhookUrl: maskedUrl(value.url),
    webhookHeaders: shown(value).headers,
    webhookByEvents: value.byEvents,
    webhookBase64: value.base64 ?? false,
  }),
});

const NOT_SENT = 'is a header of the relay or of the connection itself, and is not sent';

/** Secrets of older settings and of the file may be what verifiers do not take. */
function secretProblem(secret: string | undefined): string | undefined {
  return secret === undefined || secret.split(',').every(isVerifiableKey) ? undefined : UNVERIFIABLE_KEY;
}

/** Header values may be secrets. */
function shown(value: WebhookSettings): WebhookSettings {
  return maskedSection(webhookSection, value);
}
