import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { DeliveryLog, LoggedDelivery } from '../../delivery-log/delivery-log';
import { type LogFilter, OUTCOMES } from '../../delivery-log/log-filter';
import {
  notSeen,
  shownCoverage,
  shownDelivery,
  shownStory,
  withoutAnswers,
} from '../../delivery-log/shown-delivery';
import { instanceOf } from '../../destinations/destination-ids';
import { fromStore } from '../../errors';
import type { Guards } from '../../http-api/guards';
import { notFound } from '../../http-api/http-errors';
import { describe, schemaOf } from '../../http-api/openapi';
import { TenantSearches } from '../../http-api/tenant-searches';
import { checkFilter, moment, understood } from './stored-queries';

export interface DeliveryRoutesParts {
  readonly log: Pick<DeliveryLog, 'search' | 'find' | 'body'>;
  readonly guards: Guards;
  /** Of destinations. */
  readonly kinds: readonly string[];
}

/** Of one instance at once. */
const MOST_SEARCHES = 2;

/** Nothing that is logged is longer. */
const text = z.string().max(1024);
/** What deliveries are looked for by. */
export const deliveryFilterFields = {
  id: text.optional(),
  message: text.optional(),
  chat: text.optional(),
  instance: text.optional(),
  event: text.optional(),
  destination: text.optional(),
  outcome: z.enum(OUTCOMES).optional(),
  reason: text.optional(),
  since: moment.optional(),
  until: moment.optional(),
};
const listSchema = z.strictObject({
  ...deliveryFilterFields,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
const oneSchema = z.strictObject({ instance: text.optional() });

/** The delivery log: for the operator, and for an instance's token as far as its own deliveries go. */
export function deliveryRoutes(server: FastifyInstance, { log, guards, kinds }: DeliveryRoutesParts): void {
  const onRequest = guards.instanceInQuery;
  const searches = new TenantSearches(MOST_SEARCHES);
  const inTurn = <T>(request: FastifyRequest, instance: string, search: () => Promise<T>): Promise<T> =>
    searches.begin(guards.accessOf(request) === 'all' ? undefined : instance, search);
  const visible = (request: FastifyRequest, delivery: LoggedDelivery): LoggedDelivery =>
    guards.accessOf(request) === 'all' || isOwn(delivery) ? delivery : withoutAnswers(delivery);
  server.get(
    '/deliveries',
    {
      onRequest,
      schema: {
        ...describe('operations', 'What happened to deliveries, newest first: where is my message?'),
        querystring: schemaOf(listSchema),
      },
    },
    async (request) => {
      const { limit, ...filter } = understood(listSchema, request.query, 'query');
      checkFilter(filter, { of: 'deliveries', kinds });
      const { deliveries, more, coverage } = await inTurn(request, filter.instance ?? '', () =>
        fromStore(log.search(defined(filter), limit)),
      );
      return {
        deliveries: deliveries.map((delivery) => shownDelivery(visible(request, delivery))),
        more,
        covers: shownCoverage(coverage),
        ...(deliveries.length === 0 ? { answer: notSeen(coverage, defined(filter)) } : {}),
      };
    },
  );
  server.get<{ Params: { id: string } }>(
    '/deliveries/:id',
    { onRequest, schema: describe('operations', 'One delivery with all that happened to it, and its body') },
    async (request) => {
      const { id } = request.params;
      const { instance } = understood(oneSchema, request.query, 'query');
      // Its body, too: it may be as large as an event can be.
      return inTurn(request, instance ?? '', async () => {
        const delivery = await fromStore(log.find(id));
        if (delivery === undefined || (instance !== undefined && delivery.instance !== instance))
          throw notFound(`the delivery log knows nothing of ${id}`);
        const body = await fromStore(log.body(delivery));
        return {
          ...shownStory(visible(request, delivery)),
          ...(body === undefined ? {} : { body: body.toString('utf8') }),
        };
      });
    },
  );
}

/** Whether it goes where its instance decided. */
function isOwn({ destination }: LoggedDelivery): boolean {
  return instanceOf(destination) !== undefined;
}

/** Without what is not there: filters know no undefined. */
function defined(filter: Readonly<Record<string, unknown>>): LogFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
