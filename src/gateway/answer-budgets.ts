import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { holderOf, OPERATOR } from '../http-api/guards';
import { HttpError } from '../http-api/http-errors';
import { addressGroup } from '../network/client-address';
import { descriptorLimit, fileLimits } from '../network/descriptors';
import { type BudgetOptions, SharedBudget } from '../network/shared-budget';
import { whenAnswered } from './when-answered';

export const LARGE_ANSWER = 262_144;
/** Smaller answers are bounded by the number of connections: what asks for them takes as much. */
const SMALL_ANSWER = 4096;
/** Bytes of large answers that are made and not yet taken: in all, and of one instance, or of one address that showed no key. */
const LARGE_ANSWERS: BudgetOptions = { inAll: 134_217_728, perHolder: 33_554_432 };
const RETRY_AFTER_SECONDS = 5;
const TOO_MUCH_UNREAD = 'Too many large answers are not read yet: read them, and try again';
const TOO_MANY_FILES = 'Too many files are being sent: read them, and try again';

/**
 * Bounds what answers take that are not read: an event has as many bytes as its media, and whoever may ask for it may ask on a
 * hundred connections and read from none. One that is larger than the bound is given alone. A stream is made as fast as it is taken,
 * and holds a descriptor and a piece meanwhile: these are counted by their number. What the operator asks for is not counted.
 */
export function boundAnswers(
  server: FastifyInstance,
  limits = LARGE_ANSWERS,
  streamLimits = fileLimits(descriptorLimit()),
): void {
  const streams = new SharedBudget(streamLimits);
  const large = new SharedBudget(limits);
  // A connection may wait for sixteen, and a token may have thousands of connections. There is no number in all: a few instances would
  // have it, and everybody asks for such answers.
  const medium = new SharedBudget({ ...limits, inAll: Number.POSITIVE_INFINITY });
  server.addHook('onSend', async (request, reply, payload) => {
    const isStream = payload instanceof Readable;
    const bytes = bytesOf(payload);
    const holder = whoAsks(request);
    if ((bytes < SMALL_ANSWER && !isStream) || holder === OPERATOR) return payload;
    const budget = isStream ? streams : bytes < LARGE_ANSWER ? medium : large;
    const taking = budget.take(holder, isStream ? 1 : Math.min(bytes, limits.perHolder));
    if (taking.kind === 'taken') {
      whenAnswered(reply, taking.release);
      return payload;
    }
    // Nobody else closes what is not sent.
    if (isStream) payload.destroy();
    // What was to be sent may be kept for a year.
    reply.header('cache-control', 'no-store');
    throw new HttpError(429, [isStream ? TOO_MANY_FILES : TOO_MUCH_UNREAD], RETRY_AFTER_SECONDS);
  });
}

function whoAsks(request: FastifyRequest): string {
  return holderOf(request) ?? addressGroup(request.ip);
}

/** Characters stand for bytes: counting those of a large text would take as long as writing it. */
function bytesOf(payload: unknown): number {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
}
