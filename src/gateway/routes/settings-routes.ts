import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isRest } from '../../settings/bounds';
import { instanceNameOf } from '../../settings/document';
import { SETTINGS_BODY_LIMIT } from '../../settings/limits';
import { masked } from '../../settings/mask';
import { maskedUrl } from '../../settings/masked-url';
import type { SectionName, Settings } from '../../settings/schema';
import type { Author, InstanceSettings, Taken } from '../../settings/settings-editor';
import { pathOf, readSlot, type Slot } from '../../settings/slot';
import { type Row, rowOf, uuidOf } from '../core-api-shapes';
import type { Guards } from '../guards';
import { badRequest } from '../http-errors';
import { instanceName } from '../instance-name';
import { describe, SECTION_SCHEMAS, SETTINGS_SCHEMA } from '../openapi';

export interface SettingsRoutesParts {
  readonly instances: InstanceSettings;
  readonly guards: Guards;
  /** Reasons why a section that is set has no effect, such as a switch in the configuration. */
  readonly obstacles: Readonly<Partial<Record<SectionName, string>>>;
}

interface OfInstance {
  readonly Params: { readonly instance: string };
}
interface OfWebhook {
  readonly Params: { readonly instance: string; readonly name: string };
}

const SECTIONS: readonly SectionName[] = ['webhook', 'pusher', 'websocket', 'rabbitmq', 'sqs'];

/** Settings of instances over HTTP, as the core API has them (docs/core-api.md#rest). */
export function settingsRoutes(server: FastifyInstance, parts: SettingsRoutesParts): void {
  for (const section of SECTIONS) sectionRoutes(server, parts, section);
  namedWebhookRoutes(server, parts);
  documentRoutes(server, parts);
  instanceRoutes(server, parts);
}

function sectionRoutes(server: FastifyInstance, parts: SettingsRoutesParts, section: SectionName): void {
  const { instances, guards } = parts;
  const slot: Slot = { section };
  const body = { type: 'object', properties: { [section]: SECTION_SCHEMAS[section] } };
  server.post<OfInstance>(
    `/${section}/set/:instance`,
    {
      onRequest: guards.instance,
      bodyLimit: SETTINGS_BODY_LIMIT,
      schema: { ...describe('settings', `Set the ${section} of an instance`), body },
    },
    async (request, reply) => {
      const instance = instanceName(request.params.instance);
      const given = sectionOf(request.body, section);
      const taken = await instances.set(instance, slot, given, authorOf(request, guards));
      return reply.code(201).send(answerOf(instance, slot, taken, parts.obstacles[section]));
    },
  );
  server.get<OfInstance>(
    `/${section}/find/:instance`,
    { onRequest: guards.instance, schema: describe('settings', `The ${section} of an instance, or null`) },
    async ({ params }, reply) => reply.send(await rowOrNull(instances, instanceName(params.instance), slot)),
  );
  server.delete<OfInstance>(
    `/${section}/set/:instance`,
    { onRequest: guards.instance, schema: describe('settings', `Remove the ${section} of an instance`) },
    async ({ params }) => {
      await instances.clear(instanceName(params.instance), slot);
      return success(`${section} deleted`);
    },
  );
}

/** Further webhooks of an instance. */
function namedWebhookRoutes(server: FastifyInstance, { instances, guards }: SettingsRoutesParts): void {
  const slotOf = (name: string): Slot => ({ section: 'webhooks', name });
  const body = { type: 'object', properties: { webhook: SECTION_SCHEMAS.webhook } };
  server.post<OfWebhook>(
    '/webhook/set/:instance/:name',
    {
      onRequest: guards.instance,
      bodyLimit: SETTINGS_BODY_LIMIT,
      schema: { ...describe('settings', 'Set a further, named webhook'), body },
    },
    async (request, reply) => {
      const instance = instanceName(request.params.instance);
      const slot = slotOf(request.params.name);
      const given = sectionOf(request.body, 'webhook');
      const taken = await instances.set(instance, slot, given, authorOf(request, guards));
      return reply.code(201).send(answerOf(instance, slot, taken));
    },
  );
  server.get<OfWebhook>(
    '/webhook/find/:instance/:name',
    { onRequest: guards.instance, schema: describe('settings', 'A named webhook, or null') },
    async ({ params }, reply) =>
      reply.send(await rowOrNull(instances, instanceName(params.instance), slotOf(params.name))),
  );
  server.delete<OfWebhook>(
    '/webhook/set/:instance/:name',
    { onRequest: guards.instance, schema: describe('settings', 'Remove a named webhook') },
    async ({ params }) => {
      await instances.clear(instanceName(params.instance), slotOf(params.name));
      return success('webhook deleted');
    },
  );
}

/** All sections at once: the "Complete Instance Configuration" of the documentation. */
function documentRoutes(server: FastifyInstance, { instances, guards }: SettingsRoutesParts): void {
  server.post<OfInstance>(
    '/settings/set/:instance',
    {
      onRequest: guards.instance,
      bodyLimit: SETTINGS_BODY_LIMIT,
      schema: {
        ...describe('settings', 'Set the sections that are given; null removes one, others stay'),
        body: SETTINGS_SCHEMA,
      },
    },
    async (request, reply) => {
      const { settings, warnings } = await instances.setSections(
        instanceName(request.params.instance),
        objectOf(request.body),
        { author: authorOf(request, guards) },
      );
      return reply.code(201).send({ ...masked(settings), ...(warnings.length > 0 ? { warnings } : {}) });
    },
  );
  server.get<OfInstance>(
    '/settings/find/:instance',
    { onRequest: guards.instance, schema: describe('settings', 'Everything set for an instance, or null') },
    async ({ params }, reply) => {
      const settings = await instances.find(instanceName(params.instance));
      return reply
        .type('application/json')
        .send(JSON.stringify(settings === undefined ? null : masked(settings)));
    },
  );
}

function instanceRoutes(server: FastifyInstance, { instances, guards }: SettingsRoutesParts): void {
  server.post(
    '/instance/create',
    {
      onRequest: guards.operator,
      bodyLimit: SETTINGS_BODY_LIMIT,
      schema: {
        ...describe(
          'settings',
          'Set everything for a new instance; answers with its token, for the only time',
        ),
        body: SETTINGS_SCHEMA,
      },
    },
    async ({ body }, reply) => {
      const name = instanceNameOf(body);
      if (name === undefined) throw badRequest(['instanceName: must be the name of an instance']);
      const given = objectOf(body);
      // As in the core API, an empty name is no name.
      const token = given['token'] || randomUUID().toUpperCase();
      const { settings, warnings } = await instances.create(instanceName(name), { ...given, token });
      return reply
        .code(201)
        .send({ ...created(name, settings), ...(warnings.length > 0 ? { warnings } : {}) });
    },
  );
  server.delete<OfInstance>(
    '/instance/delete/:instance',
    { onRequest: guards.instance, schema: describe('settings', 'Forget all settings of an instance') },
    async ({ params }) => {
      await instances.remove(instanceName(params.instance));
      return success('Instance deleted');
    },
  );
}

/** A key that opens everything is the operator's; every other key that was accepted is the instance's own token. */
function authorOf(request: FastifyRequest, guards: Guards): Author {
  return guards.accessOf(request) === 'all' ? 'operator' : 'tenant';
}

/** The core API's answer, with those fields that the relay knows. */
function created(name: string, settings: Settings): Row {
  const { webhook, token } = settings;
  const switches = (['websocket', 'rabbitmq', 'sqs', 'pusher'] as const).flatMap((section) => {
    const value = settings[section];
    return value === undefined ? [] : [[section, { enabled: value.enabled }]];
  });
  return {
    instance: { instanceName: name, instanceId: uuidOf(name), status: 'created' },
    hash: token,
    ...(webhook === undefined
      ? {}
      : {
          webhook: {
            webhookUrl: maskedUrl(webhook.url),
            webhookHeaders: masked(settings).webhook?.headers,
            webhookByEvents: webhook.byEvents,
            webhookBase64: webhook.base64,
          },
        }),
    ...Object.fromEntries(switches),
  };
}

async function rowOrNull(instances: InstanceSettings, instance: string, slot: Slot): Promise<Row | null> {
  const value = readSlot(await instances.find(instance), slot);
  return value === undefined ? null : rowOf(instance, slot, value);
}

function answerOf(instance: string, slot: Slot, { settings, warnings }: Taken, obstacle?: string): Row {
  const value = readSlot(settings, slot);
  const about = warnings.filter((warning) => warning.startsWith(`${pathOf(slot)}.`) || isRest(warning));
  const all = obstacle === undefined ? about : [...about, obstacle];
  return {
    ...(value === undefined ? {} : rowOf(instance, slot, value)),
    ...(all.length > 0 ? { warnings: all } : {}),
  };
}

/** Bodies are nested, `{"webhook": {…}}`, or flat, as before 2.1 of the core API. */
function sectionOf(body: unknown, section: string): unknown {
  const { [section]: nested, ...flat } = objectOf(body);
  return nested === undefined ? flat : nested;
}

function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw badRequest(['body: must be a JSON object, with content-type application/json']);
}

function success(message: string): Row {
  return { status: 'SUCCESS', error: false, response: { message } };
}
