import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { instanceOf } from '../../destinations/destination-ids';
import { fromStore } from '../../errors';
import { DESTINATION_STATES, type DestinationList } from '../../health/destination-list';
import { shownDestination } from '../../health/shown-destination';
import type { Guards } from '../../http-api/guards';
import { badRequest, notFound } from '../../http-api/http-errors';
import { describe, schemaOf } from '../../http-api/openapi';
import type { DestinationId } from '../../pipeline/delivery';
import { checkedBy, problemsOf } from '../../settings/own-words';

export interface DestinationRoutesParts {
  readonly destinations: DestinationList;
  readonly guards: Guards;
}

interface OfOne {
  readonly Params: { readonly id: string };
}

const listSchema = z.strictObject({
  instance: z.string().optional(),
  state: z.enum(DESTINATION_STATES).optional(),
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** How destinations are. With an instance's own token: those of that instance. */
export function destinationRoutes(
  server: FastifyInstance,
  { destinations, guards }: DestinationRoutesParts,
): void {
  const ofPath = guards.owner(({ params }: FastifyRequest) => {
    const id = textOf((params as { id?: unknown }).id);
    return id === undefined ? undefined : instanceOf(id as DestinationId);
  });
  server.get(
    '/destinations',
    {
      onRequest: guards.instanceInQuery,
      schema: {
        ...describe(
          'operations',
          'How destinations are, worst first; with the token of an instance: its own',
        ),
        querystring: schemaOf(listSchema),
      },
    },
    async ({ query }) => {
      const parsed = checkedBy(listSchema, query);
      if (!parsed.success) throw badRequest(problemsOf(parsed.error, 'query'));
      const { instance, state, ...page } = parsed.data;
      const filter = { ...page, ...(instance ? { instance } : {}), ...(state ? { state } : {}) };
      const { destinations: found, total } = await fromStore(destinations.page(filter));
      return { destinations: found.map(shownDestination), total };
    },
  );
  server.get<OfOne>(
    '/destinations/:id',
    { onRequest: ofPath, schema: describe('operations', 'How one destination is') },
    async ({ params: { id } }) => shownDestination((await fromStore(destinations.show(id))) ?? missing(id)),
  );
  server.post<OfOne>(
    '/destinations/:id/suspend',
    { onRequest: ofPath, schema: describe('operations', 'Attempt nothing until a person resumes it') },
    async ({ params: { id } }) => {
      if (!(await fromStore(destinations.suspend(id)))) missing(id);
      return { id, state: 'suspended' };
    },
  );
  server.post<OfOne>(
    '/destinations/:id/resume',
    { onRequest: ofPath, schema: describe('operations', 'Attempt again what waits for it') },
    async ({ params: { id } }) => {
      if (!(await fromStore(destinations.resume(id)))) missing(id);
      return { id, state: 'resumed' };
    },
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function missing(id: string): never {
  throw notFound(`there is no destination ${id}`);
}
