import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  type Changed,
  changeDeadLetters,
  type DeadLetterChange,
  REMOVE,
  REPLAY,
} from '../../dead-letters/dead-letter-changes';
import type { DeadLetter, DeadLetterFilter, DeadLetters } from '../../dead-letters/dead-letters';
import { fromStore } from '../../errors';
import type { Guards } from '../../http-api/guards';
import { badRequest, notFound } from '../../http-api/http-errors';
import { describe, schemaOf } from '../../http-api/openapi';
import type { Replays } from '../../replays/open-replays';
import { MOMENT, parseMoment } from '../../time/moment';
import { monotonicMs } from '../../time/monotonic';
import { begin } from './replay-routes';

export interface DeadLetterRoutesParts {
  readonly replays: Replays;
  readonly guards: Guards;
}

const moment = z
  .string()
  .refine((text) => parseMoment(text, Date.now()) !== undefined, `must be ${MOMENT}`)
  .transform((text) => parseMoment(text, Date.now()));

const filterFields = {
  instance: z.string().optional(),
  event: z.string().optional(),
  destination: z.string().optional(),
  reason: z.string().optional(),
  since: moment.optional(),
  until: moment.optional(),
};
const listSchema = z.strictObject({
  ...filterFields,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
const filterSchema = z.strictObject({ ...filterFields, all: z.literal(true).optional() });
const choiceSchema = z.union([z.strictObject({ ids: z.array(z.string()).min(1).max(10_000) }), filterSchema]);

/** They lie in Redis already: to make them wait for their attempt again costs little. */
const DEAD_LETTERS_PER_SECOND = 5000;
/** Dead letters that are replayed while the request waits. */
const FEW = 1000;
/** Looking for so few takes no longer. */
const FEW_MS = 2000;

/** What was given up on: list, show, replay, remove. For the operator alone. */
export function deadLetterRoutes(server: FastifyInstance, { replays, guards }: DeadLetterRoutesParts): void {
  const { deadLetters } = replays;
  const onRequest = guards.operator;
  server.get(
    '/dead-letters',
    {
      onRequest,
      schema: { ...describe('operations', 'Dead letters, newest first'), querystring: schemaOf(listSchema) },
    },
    async ({ query }) => {
      const { limit, ...filter } = understood(listSchema, query);
      const letters = await fromStore(firstOf(deadLetters.list(defined(filter)), limit + 1));
      return { deadLetters: letters.slice(0, limit).map(shown), more: letters.length > limit };
    },
  );
  server.get<{ Params: { id: string } }>(
    '/dead-letters/:id',
    { onRequest, schema: describe('operations', 'One dead letter with its attempts and its body') },
    async ({ params: { id } }) => {
      const letter = await fromStore(deadLetters.show(id));
      if (letter === undefined) throw notFound(`there is no dead letter ${id}`);
      return { ...shown(letter), history: letter.history, body: letter.body.toString('utf8') };
    },
  );
  const change = async (
    choice: unknown,
    what: DeadLetterChange,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const { count, problems } = await fromStore(changeChosen(deadLetters, choice, what));
    return { [what.done]: count, problems };
  };
  const schema = { body: schemaOf(choiceSchema) };
  server.post(
    '/dead-letters/replay',
    { onRequest, schema: { ...describe('operations', 'Deliver again: ids, a filter, or all'), ...schema } },
    async ({ body }, reply) => {
      const filter = filterIn(body);
      if (filter === undefined || !(await isMany(deadLetters, filter))) return change(body, REPLAY);
      const spec = {
        what: 'dead-letters',
        filter: { ...filter },
        perSecond: DEAD_LETTERS_PER_SECOND,
      } as const;
      return reply.code(202).send({ replay: await begin(replays, spec) });
    },
  );
  server.delete(
    '/dead-letters',
    { onRequest, schema: { ...describe('operations', 'Remove for good: ids, a filter, or all'), ...schema } },
    ({ body }) => change(body, REMOVE),
  );
}

/** Undefined where ids are named, or nothing is chosen. */
function filterIn(choice: unknown): DeadLetterFilter | undefined {
  const chosen = understood(choiceSchema, choice ?? {});
  if ('ids' in chosen || Object.keys(chosen).length === 0) return undefined;
  const { all: _all, ...filter } = chosen;
  return defined(filter);
}

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

async function changeChosen(
  deadLetters: DeadLetters,
  choice: unknown,
  change: DeadLetterChange,
): Promise<Changed> {
  const chosen = understood(choiceSchema, choice ?? {});
  if ('ids' in chosen) return changeDeadLetters(deadLetters, chosen.ids, change);
  if (Object.keys(chosen).length === 0) throw badRequest(['body: must have ids, filters, or "all": true']);
  const { all: _all, ...filter } = chosen;
  return changeDeadLetters(deadLetters, defined(filter), change);
}

function understood<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw badRequest(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`));
}

/** Without what is not there: filters know no undefined. */
function defined(filter: Readonly<Record<string, unknown>>): DeadLetterFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

async function firstOf<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const first: T[] = [];
  for await (const item of items) {
    first.push(item);
    if (first.length >= count) break;
  }
  return first;
}

function shown({ id, destination, event, instance, reason, detail, at, bytes }: DeadLetter): object {
  return {
    id,
    at: new Date(at).toISOString(),
    destination,
    instance,
    event,
    reason,
    ...(detail === undefined ? {} : { detail }),
    bytes,
  };
}
