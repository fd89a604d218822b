import type { FastifyInstance, FastifyRequest } from 'fastify';
import { holderOf, OPERATOR } from '../http-api/guards';
import { HttpError } from '../http-api/http-errors';
import { addressGroup } from '../network/client-address';
import { type BudgetOptions, SharedBudget } from '../network/shared-budget';
import { whenAnswered } from './when-answered';

export const LARGE_ANSWER = 262_144;
/** Smaller answers are bounded by the number of connections: what asks for them takes as much. */
const SMALL_ANSWER = 4096;
/** Bytes of large answers that are made and not yet taken: in all, and of one instance, or of one address that showed no key. */
const LARGE_ANSWERS: BudgetOptions = { inAll: 134_217_728, perHolder: 33_554_432 };
const RETRY_AFTER_SECONDS = 5;

/**
 * Bounds what answers take that are not read: an event has as many bytes as its media, and whoever may ask for it may ask on a
 * hundred connections and read from none. One that is larger than the bound is given alone. What the operator asks for is not
 * counted, and neither is a stream, which is made as fast as it is taken.
 */
export function boundAnswers(server: FastifyInstance, limits = LARGE_ANSWERS): void {
  const large = new SharedBudget(limits);
  // A connection may wait for sixteen, and a token may have thousands of connections. There is no number in all: a few instances would
  // have it, and everybody asks for such answers.
  const medium = new SharedBudget({ ...limits, inAll: Number.POSITIVE_INFINITY });
  server.addHook('onSend', async (request, reply, payload) => {
    const bytes = bytesOf(payload);
    const holder = whoAsks(request);
    if (bytes < SMALL_ANSWER || holder === OPERATOR) return payload;
    const budget = bytes < LARGE_ANSWER ? medium : large;
    const taking = budget.take(holder, Math.min(bytes, limits.perHolder));
    if (taking.kind === 'refused')
      throw new HttpError(
        429,
        ['Too many large answers are not read yet: read them, and try again'],
        RETRY_AFTER_SECONDS,
      );
    whenAnswered(reply, taking.release);
    return payload;
  });
}

function whoAsks(request: FastifyRequest): string {
  return holderOf(request) ?? addressGroup(request.ip);
}

/** Characters stand for bytes: counting those of a large text would take as long as writing it. */
function bytesOf(payload: unknown): number {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
}
