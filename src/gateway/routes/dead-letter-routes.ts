import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  changeDeadLetters,
  type DeadLetterChange,
  REMOVE,
  REPLAY,
} from '../../dead-letters/dead-letter-changes';
import type { DeadLetterFilter, DeadLetters } from '../../dead-letters/dead-letters';
import { shownLetter, shownLetterStory } from '../../dead-letters/shown-letter';
import { fromStore } from '../../errors';
import type { Guards } from '../../http-api/guards';
import { badRequest, notFound } from '../../http-api/http-errors';
import { describe, schemaOf } from '../../http-api/openapi';
import type { Replays } from '../../replays/open-replays';
import { monotonicMs } from '../../time/monotonic';
import { begin } from './replay-routes';
import { checkFilter, defined, filterFields, firstOf, limitField, understood } from './stored-queries';

export interface DeadLetterRoutesParts {
  readonly replays: Replays;
  readonly guards: Guards;
  /** Of destinations, for filters. */
  readonly kinds: readonly string[];
}

const listSchema = z.strictObject({ ...filterFields, limit: limitField });
const filterSchema = z.strictObject({ ...filterFields, all: z.literal(true).optional() });
const idsSchema = z.strictObject({ ids: z.array(z.string()).min(1).max(10_000) });
const choiceSchema = z.union([idsSchema, filterSchema]);

/** They lie in Redis already: to make them wait for their attempt again costs little. */
const DEAD_LETTERS_PER_SECOND = 5000;
/** Dead letters that are replayed while the request waits. */
const FEW = 1000;
/** Looking for so few takes no longer. */
const FEW_MS = 2000;

/** What was given up on: list, show, replay, remove. For the operator alone. */
export function deadLetterRoutes(
  server: FastifyInstance,
  { replays, guards, kinds }: DeadLetterRoutesParts,
): void {
  const { deadLetters } = replays;
  const asked = { of: 'dead-letters', kinds } as const;
  const onRequest = guards.operator;
  server.get(
    '/dead-letters',
    {
      onRequest,
      schema: { ...describe('operations', 'Dead letters, newest first'), querystring: schemaOf(listSchema) },
    },
    async ({ query }) => {
      const { limit, ...filter } = understood(listSchema, query, 'query');
      checkFilter(filter, asked);
      const letters = await fromStore(firstOf(deadLetters.list(defined(filter)), limit + 1));
      return { deadLetters: letters.slice(0, limit).map(shownLetter), more: letters.length > limit };
    },
  );
  server.get<{ Params: { id: string } }>(
    '/dead-letters/:id',
    { onRequest, schema: describe('operations', 'One dead letter with its attempts and its body') },
    async ({ params: { id } }) => {
      const letter = await fromStore(deadLetters.show(id));
      if (letter === undefined) throw notFound(`there is no dead letter ${id}`);
      return shownLetterStory(letter);
    },
  );
  const change = async (
    chosen: Choice,
    what: DeadLetterChange,
  ): Promise<Readonly<Record<string, unknown>>> => {
    if ('filter' in chosen) checkFilter(chosen.filter, asked);
    const which = 'filter' in chosen ? chosen.filter : chosen.ids;
    const { count, problems } = await fromStore(changeDeadLetters(deadLetters, which, what));
    return { [what.done]: count, problems };
  };
  const schema = { body: schemaOf(choiceSchema) };
  server.post(
    '/dead-letters/replay',
    { onRequest, schema: { ...describe('operations', 'Deliver again: ids, a filter, or all'), ...schema } },
    async ({ body }, reply) => {
      const chosen = choiceOf(body);
      if ('ids' in chosen) return change(chosen, REPLAY);
      checkFilter(chosen.filter, asked);
      if (!(await isMany(deadLetters, chosen.filter))) return change(chosen, REPLAY);
      const spec = {
        what: 'dead-letters',
        filter: { ...chosen.filter },
        perSecond: DEAD_LETTERS_PER_SECOND,
      } as const;
      return reply.code(202).send({ replay: await begin(replays, spec) });
    },
  );
  server.delete(
    '/dead-letters',
    { onRequest, schema: { ...describe('operations', 'Remove for good: ids, a filter, or all'), ...schema } },
    ({ body }) => change(choiceOf(body), REMOVE),
  );
}

type Choice = { readonly ids: readonly string[] } | { readonly filter: DeadLetterFilter };

/** Whether it would take longer than a request should. */
async function isMany(deadLetters: DeadLetters, filter: DeadLetterFilter): Promise<boolean> {
  if ((await fromStore(deadLetters.count())) <= FEW) return false;
  let [count, begunAt] = [0, monotonicMs()];
  for await (const { letters } of deadLetters.pages({ filter, until: Date.now(), cursor: '', size: FEW })) {
    count += letters.length;
    if (count > FEW || monotonicMs() - begunAt > FEW_MS) return true;
  }
  return false;
}

/** @throws HttpError 400; an empty body must not mean everything */
function choiceOf(choice: unknown): Choice {
  const given = choice ?? {};
  const isList = typeof given === 'object' && 'ids' in given;
  if (isList) return understood(idsSchema, given);
  const { all, ...filter } = understood(filterSchema, given);
  if (all === undefined && Object.keys(filter).length === 0)
    throw badRequest(['body: must have ids, filters, or "all": true']);
  return { filter: defined(filter) };
}
