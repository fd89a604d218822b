import { z } from 'zod';
import { httpUrl, isHeader, isSigningKey } from '../config/formats';
import { isClusterName, isHostName } from '../config/pusher';
import {
  MAX_EVENTS,
  MAX_HEADER_NAME_BYTES,
  MAX_HEADER_VALUE_BYTES,
  MAX_HEADERS,
  MAX_WEBHOOKS,
} from './limits';
import { MASK, NOTHING_BEHIND_MASK } from './masked-url';

/** Settings of one instance: one schema for validation, types and the API's description. */

const eventList = z
  .array(z.string().min(1, 'must name an event, such as MESSAGES_UPSERT').max(100))
  .max(MAX_EVENTS)
  .default([])
  .describe('names of events, such as MESSAGES_UPSERT; an empty list means every event');
const enabled = z.boolean().default(true).describe('false keeps everything else that is set');

/** When a section was first and last set, ISO 8601. */
const stamps = { createdAt: z.string().max(40).optional(), updatedAt: z.string().max(40).optional() };

const httpAddress = z
  .string({
    error: ({ input }) => (input === undefined ? `is required: ${httpUrl.allowed}` : 'must be text'),
  })
  .max(500, 'must be no longer than 500 characters')
  .refine((value) => httpUrl.parse(value) !== undefined, `must be ${httpUrl.allowed}`);

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

export const webhookFields = z.object({
  enabled,
  url: httpAddress,
  byEvents: z.boolean().default(false).describe('append /messages-upsert and so on to the address'),
  base64: z.boolean().default(false).describe('leave media base64 in data.message'),
  headers,
  events: eventList,
  secret: signingSecret.optional(),
  maxAttempts: z.int().min(1).max(100).optional().describe('attempts in all, the direct one included'),
  timeoutMs: z.int().min(1).max(600_000).optional().describe('whole request, milliseconds'),
  ...stamps,
});

const pusherText = z.string().min(1).max(100);
/** They become part of an address. */
const clusterName = pusherText.refine(isClusterName, 'must be the short name of a cluster, such as us2');
const NO_CLUSTER =
  'is required: the short name of a cluster, such as us2; or host, of a Pusher-compatible server';
const appId = pusherText.regex(/^[\w-]+$/, 'must be of letters, digits and hyphens');
const hostName = z
  .string()
  .max(255)
  .refine(isHostName, 'must be the name or address of a host, without scheme, port and path');

export const pusherSchema = z
  .object({
    enabled,
    appId,
    key: pusherText,
    secret: pusherText,
    cluster: z.literal('').or(clusterName).default('').describe('needed unless host is set'),
    useTLS: z.boolean().default(true),
    host: hostName.optional().describe('a Pusher-compatible server instead of a cluster'),
    port: z.int().min(1).max(65_535).optional(),
    events: eventList,
    ...stamps,
  })
  .refine(({ cluster, host }) => cluster !== '' || host !== undefined, {
    path: ['cluster'],
    error: NO_CLUSTER,
    // This check runs even if others fail, so that all problems are reported at once.
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

/** Switches a part on for some events: WebSockets, the instance's own RabbitMQ exchange, its SQS queues. */
export const switchSchema = z.object({ enabled, events: eventList, ...stamps });

/** Names of the fields in older flat bodies and in the core API's answers (docs/core-api.md#rest). */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  webhookUrl: 'url',
  webhook_by_events: 'byEvents',
  webhookByEvents: 'byEvents',
  webhook_base64: 'base64',
  webhookBase64: 'base64',
  webhookHeaders: 'headers',
  webhookEvents: 'events',
};

/** A webhook's fields under their present names. */
export function withPresentNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  const given = new Set(entries.map(([name]) => name));
  return Object.fromEntries(
    entries.map(([name, item]) => {
      const current = OLDER_NAMES[name];
      // The core API stores `headers` as null where there are none.
      return [current === undefined || given.has(current) ? name : current, item ?? undefined];
    }),
  );
}

/** Name of a further webhook. */
export const webhookName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, hyphens, underscores');

export const webhookSchema = z.preprocess(withPresentNames, webhookFields);

export const settingsSchema = z.object({
  /** The instance's own key for its own paths of the gateway, and its own WebSockets. */
  token: z.string().min(8, 'must be at least 8 characters').max(255).optional(),
  webhook: webhookSchema.optional(),
  /** Further webhooks of the instance, by name. */
  webhooks: z
    .record(webhookName, webhookSchema)
    .refine((value) => Object.keys(value).length <= MAX_WEBHOOKS, `must be no more than ${MAX_WEBHOOKS}`)
    .default({}),
  pusher: pusherSchema.optional(),
  websocket: switchSchema.optional(),
  rabbitmq: switchSchema.optional(),
  sqs: switchSchema.optional(),
});

export type WebhookSettings = z.output<typeof webhookFields>;
export type PusherSettings = z.output<typeof pusherSchema>;
export type SwitchSettings = z.output<typeof switchSchema>;
export type Settings = z.output<typeof settingsSchema>;

/** Sections that each are one thing; `webhooks` holds several. */
export type SectionName = 'webhook' | 'pusher' | 'websocket' | 'rabbitmq' | 'sqs';
