import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../../config/config';
import type { Guards } from '../../http-api/guards';
import { badRequest, notFound } from '../../http-api/http-errors';
import { instanceName } from '../../http-api/instance-name';
import { describe, schemaOf } from '../../http-api/openapi';
import { isRest } from '../../settings/bounds';
import { instanceNameOf } from '../../settings/document';
import { ABOUT_NAME } from '../../settings/instance-names';
import { SETTINGS_BODY_LIMIT } from '../../settings/limits';
import { masked } from '../../settings/mask';
import { type Fields, pathOf, type Section, type Slot } from '../../settings/section';
import type { Sections } from '../../settings/sections';
import type { SettingsEditor } from '../../settings/settings-editor';
import type { Author, Taken } from '../../settings/settings-rules';
import { createdAnswer, type Row, rowOf } from '../core-api-shapes';
import type { CoreInstances } from '../core-instances';
import { documentOfNew, objectOf, sectionOf } from '../settings-bodies';

export interface SettingsRoutesParts {
  readonly instances: SettingsEditor;
  readonly guards: Guards;
  readonly sections: Sections;
  readonly config: Config;
  readonly coreInstances: Pick<CoreInstances, 'has'> | undefined;
}

interface OfInstance {
  readonly Params: { readonly instance: string };
}
interface OfNamed {
  readonly Params: { readonly instance: string; readonly name: string };
}

/** Settings of instances over HTTP, as the core API has them (docs/core-api.md#rest). */
export function settingsRoutes(server: FastifyInstance, parts: SettingsRoutesParts): void {
  for (const section of parts.sections.list) sectionRoutes(server, parts, section);
  for (const section of parts.sections.list) namedRoutes(server, parts, section);
  documentRoutes(server, parts);
  instanceRoutes(server, parts);
}

function sectionRoutes(server: FastifyInstance, parts: SettingsRoutesParts, section: Section): void {
  const { instances, guards, config } = parts;
  const { name } = section;
  const slot: Slot = { section };
  const body = bodySchemaOf(section);
  server.post<OfInstance>(
    `/${name}/set/:instance`,
    {
      onRequest: guards.instance,
      bodyLimit: SETTINGS_BODY_LIMIT,
      schema: { ...describe('settings', `Set the ${name} of an instance`), body },
    },
    async (request, reply) => {
      const instance = instanceName(request.params.instance);
      const unsure = await checkExists(parts, instance);
      const { value, warnings } = sectionOf(request.body, section);
      const taken = await instances.set(instance, slot, value, authorOf(request, guards));
      const obstacle = section.definition.obstacle?.(config);
      const also = [...unsure, ...warnings, ...(obstacle === undefined ? [] : [obstacle])];
      return reply.code(201).send(answerOf(instance, slot, taken, also));
    },
  );
  server.get<OfInstance>(
    `/${name}/find/:instance`,
    { onRequest: guards.instance, schema: describe('settings', `The ${name} of an instance, or null`) },
    async ({ params }, reply) => {
      const instance = instanceName(params.instance);
      await checkExists(parts, instance);
      return reply.send(await rowOrNull(instances, instance, slot));
    },
  );
  server.delete<OfInstance>(
    `/${name}/set/:instance`,
    { onRequest: guards.instance, schema: describe('settings', `Remove the ${name} of an instance`) },
    async ({ params }) => {
      await instances.clear(instanceName(params.instance), slot);
      return success(`${name} deleted`);
    },
  );
}

/** Further ones of a section, such as webhooks, each with a name. */
function namedRoutes(server: FastifyInstance, parts: SettingsRoutesParts, section: Section): void {
  const { instances, guards } = parts;
  if (section.definition.named === undefined) return;
  const slotOf = (name: string): Slot => ({ section, name });
  const { name: kind } = section;
  const body = bodySchemaOf(section);
  server.post<OfNamed>(
    `/${kind}/set/:instance/:name`,
    {
      onRequest: guards.instance,
      bodyLimit: SETTINGS_BODY_LIMIT,
      schema: { ...describe('settings', `Set a further, named ${kind}`), body },
    },
    async (request, reply) => {
      const instance = instanceName(request.params.instance);
      const slot = slotOf(request.params.name);
      const unsure = await checkExists(parts, instance);
      const { value, warnings } = sectionOf(request.body, section);
      const taken = await instances.set(instance, slot, value, authorOf(request, guards));
      return reply.code(201).send(answerOf(instance, slot, taken, [...unsure, ...warnings]));
    },
  );
  server.get<OfNamed>(
    `/${kind}/find/:instance/:name`,
    { onRequest: guards.instance, schema: describe('settings', `A named ${kind}, or null`) },
    async ({ params }, reply) =>
      reply.send(await rowOrNull(instances, instanceName(params.instance), slotOf(params.name))),
  );
  server.delete<OfNamed>(
    `/${kind}/set/:instance/:name`,
    { onRequest: guards.instance, schema: describe('settings', `Remove a named ${kind}`) },
    async ({ params }) => {
      await instances.clear(instanceName(params.instance), slotOf(params.name));
      return success(`${kind} deleted`);
    },
  );
}

/** All sections at once: the "Complete Instance Configuration" of the documentation. */
function documentRoutes(server: FastifyInstance, parts: SettingsRoutesParts): void {
  const { instances, guards, sections } = parts;
  server.post<OfInstance>(
    '/settings/set/:instance',
    {
      onRequest: guards.instance,
      bodyLimit: SETTINGS_BODY_LIMIT,
      schema: {
        ...describe('settings', 'Set the sections that are given; null removes one, others stay'),
        body: schemaOf(sections.schema),
      },
    },
    async (request, reply) => {
      const instance = instanceName(request.params.instance);
      const unsure = await checkExists(parts, instance);
      const taken = await instances.setSections(instance, objectOf(request.body), {
        author: authorOf(request, guards),
      });
      const warnings = [...unsure, ...taken.warnings];
      return reply
        .code(201)
        .send({ ...masked(sections, taken.settings), ...(warnings.length > 0 ? { warnings } : {}) });
    },
  );
  server.get<OfInstance>(
    '/settings/find/:instance',
    { onRequest: guards.instance, schema: describe('settings', 'Everything set for an instance, or null') },
    async ({ params }, reply) => {
      const settings = await instances.find(instanceName(params.instance));
      return reply
        .type('application/json')
        .send(JSON.stringify(settings === undefined ? null : masked(sections, settings)));
    },
  );
}

function instanceRoutes(server: FastifyInstance, { instances, guards, sections }: SettingsRoutesParts): void {
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
        body: schemaOf(sections.schema),
      },
    },
    async ({ body }, reply) => {
      const name = instanceNameOf(body);
      if (name === undefined) throw badRequest(['instanceName: must be the name of an instance']);
      const given = objectOf(body);
      // As in the core API, an empty name is no name.
      const token = given['token'] || randomUUID().toUpperCase();
      const { document, warnings: ofNames } = documentOfNew(sections, given);
      const taken = await instances.create(instanceName(name), { ...document, token });
      const warnings = [...ofNames, ...taken.warnings];
      return reply.code(201).send({
        ...createdAnswer(sections, name, { given, settings: taken.settings }),
        ...(warnings.length > 0 ? { warnings } : {}),
      });
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

/**
 * That the core API has this instance, as far as it can be asked. What nobody can say is a warning, where nothing was set for it
 * before: its name may be misspelt.
 *
 * @throws HttpError 404
 */
async function checkExists(
  { instances, coreInstances }: SettingsRoutesParts,
  instance: string,
): Promise<string[]> {
  const existence = (await coreInstances?.has(instance)) ?? 'unclear';
  if (existence === 'known') return [];
  if (existence === 'unknown') throw notFound(`The "${instance}" instance does not exist`);
  if (await instances.isSet(instance)) return [];
  return [
    `instance: nothing was set for ${JSON.stringify(instance)} before, and whether the core API has it is not known (CORE_API_URL): check its name`,
  ];
}

/** A key that opens everything is the operator's; every other key that was accepted is the instance's own token. */
function authorOf(request: FastifyRequest, guards: Guards): Author {
  return guards.accessOf(request) === 'all' ? 'operator' : 'tenant';
}

function bodySchemaOf({ name, definition }: Section): Fields {
  return { type: 'object', properties: { [name]: schemaOf(definition.fields) } };
}

async function rowOrNull(instances: SettingsEditor, instance: string, slot: Slot): Promise<Row | null> {
  return rowOf(instance, slot, await instances.find(instance)) ?? null;
}

function answerOf(instance: string, slot: Slot, { settings, warnings }: Taken, also: readonly string[]): Row {
  const about = warnings.filter(
    (warning) => warning.startsWith(`${pathOf(slot)}.`) || warning.startsWith(ABOUT_NAME) || isRest(warning),
  );
  const all = [...about, ...also];
  return {
    ...rowOf(instance, slot, settings),
    ...(all.length > 0 ? { warnings: all } : {}),
  };
}

function success(message: string): Row {
  return { status: 'SUCCESS', error: false, response: { message } };
}
