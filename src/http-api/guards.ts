import type { FastifyRequest } from 'fastify';
import type { Access, Keys } from './keys';

export type Guard = (request: FastifyRequest) => Promise<void>;

/** Run before a body is read: clients without a key cost no memory. */
export interface Guards {
  /** The operator's key. */
  readonly operator: Guard;
  /** The operator's key, or the token of the instance in the path. */
  readonly instance: Guard;
  /** The operator's key, or the token of the instance that the query names. */
  readonly instanceInQuery: Guard;
  /** The same where the query calls it `instanceName`, as the core API does. */
  readonly named: Guard;
  /** The operator's key, or the token of the instance that a request is about; undefined where it is about none. */
  readonly owner: (instanceOf: (request: FastifyRequest) => string | undefined) => Guard;
  /** What the key of a request opens that passed one of them. */
  readonly accessOf: (request: FastifyRequest) => Access;
}

const GUARDS = new WeakSet<object>();
const ACCESSES = new WeakMap<FastifyRequest, Access>();
const HOLDERS = new WeakMap<FastifyRequest, string>();

/** Who holds what is taken with the operator's key. */
export const OPERATOR = 'operator';

/** Who holds what is taken with the token of an instance. */
export function instanceHolder(instance = ''): string {
  return `instance ${instance}`;
}

export function createGuards(keys: Keys): Guards {
  const guard = (instanceOf: (request: FastifyRequest) => string | undefined): Guard => {
    const check: Guard = async (request) => {
      const instance = instanceOf(request);
      const access = await keys.check(request.ip, keyOf(request), instance);
      ACCESSES.set(request, access);
      noteHolder(request, access === 'all' ? OPERATOR : instanceHolder(instance));
    };
    GUARDS.add(check);
    return check;
  };
  return {
    operator: guard(() => undefined),
    instance: guard((request) => (request.params as { instance?: string }).instance),
    instanceInQuery: guard(({ query }) => textIn(query, 'instance')),
    named: guard(({ query }) => textIn(query, 'instanceName')),
    owner: guard,
    accessOf: (request) => ACCESSES.get(request) ?? 'instance',
  };
}

function textIn(query: unknown, name: string): string | undefined {
  const value = (query as Partial<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

/** Whether the hooks of a route check a key before its body is read. */
export function isGuarded(hooks: unknown): boolean {
  return [hooks].flat().some((hook) => typeof hook === 'function' && GUARDS.has(hook));
}

/** Undefined where no guard has let the request pass. */
export function shownAccess(request: FastifyRequest): Access | undefined {
  return ACCESSES.get(request);
}

/** Somebody has shown by a key, or by a session that began with one, who is asking. */
export function noteHolder(request: FastifyRequest, holder: string): void {
  HOLDERS.set(request, holder);
}

/** For whom is counted what a request takes: the operator, an instance, or who else is known; undefined: a stranger. */
export function holderOf(request: FastifyRequest): string | undefined {
  return HOLDERS.get(request);
}

export function keyOf({ headers }: FastifyRequest): string | undefined {
  const { apikey } = headers;
  return Array.isArray(apikey) ? apikey[0] : apikey;
}
