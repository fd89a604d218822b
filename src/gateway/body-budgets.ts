import type { FastifyInstance, FastifyRequest } from 'fastify';
import { holderOf, isGuarded } from '../http-api/guards';
import { BODY_LIMIT, HttpError, tooLarge } from '../http-api/http-errors';
import { addressGroup } from '../network/client-address';
import { type BudgetOptions, SharedBudget } from '../network/shared-budget';
import { whenAnswered } from './when-answered';

/** Bytes of bodies that are being read and whose sender showed no key: in all, and of one address. */
export const STRANGERS_BODIES: BudgetOptions = { inAll: 8_388_608, perHolder: 2_097_152 };
/** And of those that showed one: in all, and of one instance or the operator. */
const KNOWN_BODIES: BudgetOptions = { inAll: 67_108_864, perHolder: 16_777_216 };
const RETRY_AFTER_SECONDS = 5;

/**
 * Bounds what bodies take while they are read. A body counts as large as it says it is, or, where it does not say, as large
 * as the route takes. Routes whose key is checked first get a larger limit; all others keep the server's small one.
 */
export function boundBodies(server: FastifyInstance, strangers: SharedBudget): void {
  const known = new SharedBudget(KNOWN_BODIES);
  server.addHook('onRoute', (route) => {
    if (isGuarded(route.onRequest)) route.bodyLimit ??= BODY_LIMIT;
  });
  server.addHook('preParsing', async (request, reply) => {
    const bytes = bodyBytes(request);
    if (bytes === 0) return;
    const limit = limitOf(request);
    // What follows is read and thrown away. The parser would close the connection: a client that still sends sees that, and no answer.
    if (statedBytes(request) > limit) throw tooLarge(limit);
    const holder = holderOf(request);
    const taking =
      holder === undefined ? strangers.take(addressGroup(request.ip), bytes) : known.take(holder, bytes);
    if (taking.kind === 'refused') {
      throw new HttpError(503, ['Too many bodies are being read: try again'], RETRY_AFTER_SECONDS);
    }
    if (request.raw.destroyed) return taking.release();
    request.raw.once('close', taking.release);
    whenAnswered(reply, taking.release);
  });
}

/** At most what the route takes: more is refused at once, or as soon as it came. */
function bodyBytes(request: FastifyRequest): number {
  const limit = limitOf(request);
  if (request.headers['transfer-encoding'] !== undefined) return limit;
  return Math.min(limit, statedBytes(request));
}

function statedBytes({ headers }: FastifyRequest): number {
  return Number(headers['content-length'] ?? 0) || 0;
}

function limitOf({ routeOptions }: FastifyRequest): number {
  return routeOptions.bodyLimit ?? BODY_LIMIT;
}
