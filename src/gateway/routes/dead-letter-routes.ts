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
import { MOMENT, parseMoment } from '../../time/moment';

export interface DeadLetterRoutesParts {
  readonly deadLetters: DeadLetters;
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

/** What was given up on: list, show, replay, remove. For the operator alone. */
export function deadLetterRoutes(
  server: FastifyInstance,
  { deadLetters, guards }: DeadLetterRoutesParts,
): void {
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
    ({ body }) => change(body, REPLAY),
  );
  server.delete(
    '/dead-letters',
    { onRequest, schema: { ...describe('operations', 'Remove for good: ids, a filter, or all'), ...schema } },
    ({ body }) => change(body, REMOVE),
  );
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
