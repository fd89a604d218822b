import type { FastifyRequest } from 'fastify';
import type { Access, Keys } from './keys';

type Guard = (request: FastifyRequest) => Promise<void>;

/** Run before a body is read: who has no key costs no memory. */
export interface Guards {
  /** The operator's key. */
  readonly operator: Guard;
  /** The operator's key, or the token of the instance in the path. */
  readonly instance: Guard;
  /** What the key opens that a request was let in with. */
  accessOf(request: FastifyRequest): Access | undefined;
}

export function createGuards(keys: Keys): Guards {
  const granted = new WeakMap<FastifyRequest, Access>();
  return {
    operator: async (request) => {
      granted.set(request, await keys.check(request.ip, keyOf(request)));
    },
    instance: async (request) => {
      const { instance } = request.params as { instance?: string };
      granted.set(request, await keys.check(request.ip, keyOf(request), instance));
    },
    accessOf: (request) => granted.get(request),
  };
}

export function keyOf({ headers }: FastifyRequest): string | undefined {
  const { apikey } = headers;
  return Array.isArray(apikey) ? apikey[0] : apikey;
}
