import { z } from 'zod';
import { type AskedOf, filterProblems, type GivenFilter } from '../../dead-letters/filter-problems';
import { badRequest } from '../../http-api/http-errors';
import { checkedBy, problemsOf } from '../../settings/own-words';
import { MOMENT, parseMoment } from '../../time/moment';

/** What questions about stored deliveries have in common. */

export const moment = z
  .string()
  .refine((text) => parseMoment(text, Date.now()) !== undefined, `must be ${MOMENT}`)
  .transform((text) => parseMoment(text, Date.now()));

export const filterFields = {
  instance: z.string().optional(),
  event: z.string().optional(),
  destination: z.string().optional(),
  reason: z.string().optional(),
  since: moment.optional(),
  until: moment.optional(),
};

export const limitField = z.coerce.number().int().min(1).max(1000).default(100);

/** @throws HttpError 400 naming every problem */
export function understood<T>(schema: z.ZodType<T>, value: unknown, what = 'body'): T {
  const parsed = checkedBy(schema, value);
  if (parsed.success) return parsed.data;
  throw badRequest(problemsOf(parsed.error, what));
}

/** @throws HttpError 400 where a filter names what does not exist */
export function checkFilter(filter: GivenFilter, asked: AskedOf): void {
  const problems = filterProblems(filter, asked);
  if (problems.length > 0) throw badRequest(problems);
}

/** Without what is not there: filters know no undefined. */
export function defined(filter: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

export async function firstOf<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const first: T[] = [];
  for await (const item of items) {
    first.push(item);
    if (first.length >= count) break;
  }
  return first;
}
