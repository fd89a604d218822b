import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ParkedDeliveries, ParkedDelivery } from '../../dead-letters/parked-deliveries';
import { fromStore } from '../../errors';
import type { Guards } from '../../http-api/guards';
import { describe, schemaOf } from '../../http-api/openapi';
import { checkFilter, defined, filterFields, firstOf, limitField, understood } from './stored-queries';

export interface ParkedRoutesParts {
  readonly parked: ParkedDeliveries;
  readonly guards: Guards;
  /** Of destinations, for filters. */
  readonly kinds: readonly string[];
}

const listSchema = z.strictObject({ ...filterFields, limit: limitField });

/** What waits for its next attempt. For the operator alone. */
export function parkedRoutes(server: FastifyInstance, { parked, guards, kinds }: ParkedRoutesParts): void {
  server.get(
    '/parked',
    {
      onRequest: guards.operator,
      schema: {
        ...describe('operations', 'Parked deliveries, newest first'),
        querystring: schemaOf(listSchema),
      },
    },
    async ({ query }) => {
      const { limit, ...filter } = understood(listSchema, query, 'query');
      checkFilter(filter, { of: 'parked', kinds });
      const found = await fromStore(firstOf(parked.list(defined(filter)), limit + 1));
      return { parked: found.slice(0, limit).map(shown), more: found.length > limit };
    },
  );
}

function shown({ at, dueAt, ...rest }: ParkedDelivery): object {
  return {
    ...rest,
    at: new Date(at).toISOString(),
    dueAt: dueAt === undefined ? null : new Date(dueAt).toISOString(),
  };
}
