import type { FastifyRequest } from 'fastify';
import type { Keys } from './keys';

type Guard = (request: FastifyRequest) => Promise<void>;

/** Run before a body is read: who has no key costs no memory. */
export interface Guards {
  /** The operator's key. */
  readonly operator: Guard;
  /** The operator's key, or the token of the instance in the path. */
  readonly instance: Guard;
}

export function createGuards(keys: Keys): Guards {
  return {
    operator: async (request) => {
      await keys.check(request.ip, keyOf(request));
    },
    instance: async (request) => {
      await keys.check(request.ip, keyOf(request), (request.params as { instance?: string }).instance);
    },
  };
}

export function keyOf({ headers }: FastifyRequest): string | undefined {
  const { apikey } = headers;
  return Array.isArray(apikey) ? apikey[0] : apikey;
}
