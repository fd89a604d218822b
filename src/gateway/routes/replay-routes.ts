import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { errorText, fromStore } from '../../errors';
import type { Guards } from '../../http-api/guards';
import { badRequest, HttpError, notFound } from '../../http-api/http-errors';
import { describe, schemaOf } from '../../http-api/openapi';
import type { Replays } from '../../replays/open-replays';
import { type ReplaySpec, shownReplay, TooManyReplaysError } from '../../replays/replay-store';
import { deliveryFilterFields } from './delivery-routes';
import { checkFilter, understood } from './stored-queries';

export interface ReplayRoutesParts {
  readonly replays: Replays;
  readonly guards: Guards;
  /** Of destinations. */
  readonly kinds: readonly string[];
}

/** Deliveries a second, where nobody says another number. */
export const DEFAULT_RATE = 500;
const REPLAYABLE = ['delivered', 'dead'] as const;
const AGAIN_SECONDS = 10;

const replaySchema = z.strictObject({
  ...deliveryFilterFields,
  outcome: z.enum(REPLAYABLE).optional(),
  all: z.literal(true).optional(),
  perSecond: z.number().int().min(1).max(10_000).default(DEFAULT_RATE),
  preview: z.boolean().default(false),
});

/** Deliver again what the log knows; replays under way: list, show, cancel. For the operator alone. */
export function replayRoutes(server: FastifyInstance, { replays, guards, kinds }: ReplayRoutesParts): void {
  const onRequest = guards.operator;
  const { store, runner } = replays;
  server.post(
    '/deliveries/replay',
    {
      onRequest,
      schema: {
        ...describe('operations', 'Deliver again what the filters find, or, with preview, count it'),
        body: schemaOf(replaySchema),
      },
    },
    async ({ body }, reply) => {
      const { all, perSecond, preview, ...filter } = understood(replaySchema, body ?? {});
      const chosen = defined(filter);
      checkFilter(chosen, { of: 'deliveries', kinds });
      if (!all && Object.keys(chosen).length === 0)
        throw badRequest(['body: must have filters, or "all": true']);
      const spec: ReplaySpec = { what: 'deliveries', filter: chosen, perSecond };
      if (preview) return shownPreview(await fromStore(runner.preview(spec)));
      return reply.code(202).send(await begin(replays, spec));
    },
  );
  server.get(
    '/replays',
    { onRequest, schema: describe('operations', 'Replays of the last seven days, newest first') },
    async () => ({ replays: (await store.list(100)).map(shownReplay) }),
  );
  server.get<{ Params: { id: string } }>(
    '/replays/:id',
    { onRequest, schema: describe('operations', 'How far a replay is') },
    async ({ params: { id } }) => shown(replays, id),
  );
  server.delete<{ Params: { id: string } }>(
    '/replays/:id',
    { onRequest, schema: describe('operations', 'Cancel a replay: what it has replayed stays so') },
    async ({ params: { id } }) => {
      await store.end(id, 'cancelled');
      return shown(replays, id);
    },
  );
}

/** Begins it; a gateway works on it, this one or another. @throws HttpError 429 */
export async function begin(replays: Replays, spec: ReplaySpec): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await shown(replays, await replays.store.begin(spec));
  } catch (error) {
    if (error instanceof TooManyReplaysError) throw new HttpError(429, [errorText(error)], AGAIN_SECONDS);
    throw error;
  }
}

async function shown({ store }: Replays, id: string): Promise<Readonly<Record<string, unknown>>> {
  const replay = await store.find(id);
  if (replay === undefined) throw notFound(`there is no replay ${id}`);
  return shownReplay(replay);
}

function shownPreview({ seen, replayed, withoutBody, needless }: Readonly<Record<string, unknown>>): object {
  return { preview: true, seen, replayable: replayed, withoutBody, needless };
}

function defined(filter: Readonly<Record<string, string | number | undefined>>): ReplaySpec['filter'] {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
