import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Guards } from '../../http-api/guards';
import { notFound } from '../../http-api/http-errors';
import { describe } from '../../http-api/openapi';
import type { Settings } from '../../settings/section';
import type { Sections } from '../../settings/sections';
import { CLIENT_NAME, VERSION } from '../../version';
import { instanceRow, type Row } from '../core-api-shapes';

export interface CoreApiRoutesParts {
  readonly guards: Guards;
  readonly sections: Sections;
  /** Of one instance. @throws SettingsUnreadableError */
  readonly find: (instance: string) => Promise<Settings | undefined>;
  /** Whether a person asks, with a browser, who is led to the dashboard. */
  readonly wantsPage: (request: FastifyRequest) => boolean;
  /** Of all that can be read. */
  readonly all: () => AsyncIterable<readonly [instance: string, settings: Settings]>;
}

interface Chosen {
  readonly Querystring: {
    readonly instanceName?: string;
    readonly instanceId?: string;
    readonly number?: string;
  };
}

/** What clients of the core API ask before anything else: the Manager when somebody logs in, n8n when it tests a key. */
export function coreApiRoutes(server: FastifyInstance, parts: CoreApiRoutesParts): void {
  const { guards, sections } = parts;
  server.get(
    '/',
    { schema: describe('settings', 'What answers here, as the core API says it') },
    async (request, reply) => {
      reply.header('vary', 'accept');
      return parts.wantsPage(request) ? reply.redirect('/dashboard', 302) : welcome(request);
    },
  );
  server.post(
    '/verify-creds',
    { onRequest: guards.operator, schema: describe('settings', "Whether a key is the operator's") },
    async () => ({ status: 200, message: 'Credentials are valid' }),
  );
  server.get<Chosen>(
    '/instance/fetchInstances',
    {
      onRequest: (request) =>
        nameIn(request) === undefined ? guards.operator(request) : guards.named(request),
      schema: {
        ...describe('settings', 'Instances with settings, as rows of the core API; without their tokens'),
        querystring: {
          type: 'object',
          properties: {
            instanceName: { type: 'string' },
            instanceId: { type: 'string' },
            number: { type: 'string' },
          },
        },
      },
    },
    async (request): Promise<Row[]> => {
      const name = nameIn(request);
      if (name !== undefined) {
        const settings = await parts.find(name);
        return settings === undefined ? [] : [instanceRow(sections, name, settings)];
      }
      const rows = await allRows(parts);
      const wanted = textIn(request, 'instanceId') ?? textIn(request, 'number');
      return wanted === undefined ? rows : only(rows, wanted);
    },
  );
}

async function allRows({ sections, all }: CoreApiRoutesParts): Promise<Row[]> {
  const rows = new Map<string, Row>();
  for await (const [instance, settings] of all())
    if (!rows.has(instance)) rows.set(instance, instanceRow(sections, instance, settings));
  return [...rows.values()];
}

/** By its id: the core API answers a number, and an id that it does not know, like this. */
function only(rows: readonly Row[], id: string): Row[] {
  const found = rows.filter((row) => row['id'] === id);
  if (found.length === 0) throw notFound(`Instance "${id}" not found`);
  return found;
}

function nameIn(request: FastifyRequest): string | undefined {
  return textIn(request, 'instanceName');
}

function textIn({ query }: FastifyRequest, name: keyof Chosen['Querystring']): string | undefined {
  const value = (query as Partial<Record<string, unknown>>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function welcome({ protocol, host }: FastifyRequest): Row {
  return {
    status: 200,
    message: 'Welcome to Evolution Relay, it is working!',
    version: VERSION,
    clientName: CLIENT_NAME,
    documentation: `${protocol}://${host}/docs`,
  };
}
