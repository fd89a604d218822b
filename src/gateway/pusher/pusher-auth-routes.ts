import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isGuardedChannel, isPresenceChannel } from '../../config/pusher-names';
import { type AppAuthorizer, isSocketId, type Presence } from '../../destinations/pusher/subscription-auth';
import { keyOf } from '../guards';
import { badRequest, notFound, unauthorized } from '../http-errors';
import type { Access, Keys } from '../keys';
import { describe } from '../openapi';
import { isTrustedPage, type OriginRules } from '../origins';
import { type AuthHook, forbidden, type Person } from './auth-hook';
import { acceptForms } from './pusher-body';

export interface PusherAuthRoutesParts {
  readonly keys: Keys;
  readonly channelPrefix: string;
  /** Decides about clients that present no key; without it they are refused. */
  readonly hook: AuthHook | undefined;
  /** Whose pages may use cookies. */
  readonly originRules: OriginRules;
  /**
   * The app whose channels an instance's events go to: the one with this key where there are several, or else the
   * instance's own before the global one.
   */
  readonly authorizerOf: (
    instance: string | undefined,
    appKey: string | undefined,
  ) => Promise<AppAuthorizer | undefined>;
}

type Fields = Readonly<Record<string, string>>;

/** A client asks for little. */
const BODY_LIMIT = 16_384;
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'socket_id',
  'channel_name',
  'instance',
  'apikey',
  'app_key',
]);

const FORM = {
  type: 'object',
  properties: {
    socket_id: { type: 'string' },
    channel_name: { type: 'string' },
    instance: { type: 'string', description: 'of the token, for user-auth' },
    app_key: { type: 'string', description: 'where the instance has its own app beside the global one' },
    user_id: { type: 'string' },
    user_info: { type: 'string', description: 'JSON object, shown to others on presence channels' },
  },
};

/** Signs what Pusher's clients may do: subscribe to an instance's own channel, and be a user. */
export function pusherAuthRoutes(server: FastifyInstance, parts: PusherAuthRoutesParts): void {
  void server.register(async (scope) => {
    acceptForms(scope);
    const options = (summary: string) => ({
      bodyLimit: BODY_LIMIT,
      schema: { ...describe('pusher', summary), consumes: ['application/x-www-form-urlencoded'], body: FORM },
    });
    scope.post('/pusher/auth', options('Sign a subscription to an instance’s channel'), (request) =>
      channelAuth(parts, request),
    );
    scope.post('/pusher/user-auth', options('Sign in a user'), (request) => userAuth(parts, request));
  });
}

async function channelAuth(parts: PusherAuthRoutesParts, request: FastifyRequest): Promise<object> {
  const fields = fieldsOf(request.body);
  const socketId = socketIdOf(fields);
  const channel = fields['channel_name'] ?? '';
  const instance = instanceOf(channel, parts.channelPrefix);
  const { person } = await decide(
    parts,
    request,
    fields,
    { socket_id: socketId, channel_name: channel },
    instance,
  );
  // Only now: who may not ask is not told which channels there are.
  if (instance === undefined) throw forbidden();
  if (!isGuardedChannel(channel)) {
    throw badRequest([`channel_name: ${channel} is public: it is subscribed to without a signature`]);
  }
  const authorizer = await authorizerOf(parts, instance, fields);
  return authorizer.channel(
    socketId,
    channel,
    isPresenceChannel(channel) ? presenceOf(person, socketId) : undefined,
  );
}

async function userAuth(parts: PusherAuthRoutesParts, request: FastifyRequest): Promise<object> {
  const fields = fieldsOf(request.body);
  const socketId = socketIdOf(fields);
  const instance = fields['instance'] || undefined;
  const { person, access } = await decide(parts, request, fields, { socket_id: socketId }, instance);
  if (person.user_id === undefined || person.user_id === '') throw badRequest(['user_id: is required']);
  const authorizer = await authorizerOf(parts, instance, fields);
  // A token speaks for its instance alone: it cannot name the users of another one.
  const id = access === 'instance' ? `${instance}/${person.user_id}` : person.user_id;
  return authorizer.user(socketId, {
    id,
    ...(person.user_info === undefined ? {} : { user_info: person.user_info }),
  });
}

/** Whether the client may, and who it is: by its key, or, where it has none, by the hook. */
async function decide(
  { keys, hook, originRules }: PusherAuthRoutesParts,
  request: FastifyRequest,
  fields: Fields,
  asked: { readonly socket_id: string; readonly channel_name?: string },
  instance: string | undefined,
): Promise<{ readonly person: Person; readonly access: Access | 'hook' }> {
  const key = keyOf(request) ?? fields['apikey'];
  if (key !== undefined || hook === undefined) {
    const access = await keys.check(request.ip, key, instance);
    return { person: claimOf(fields), access };
  }
  if (instance === undefined && asked.channel_name !== undefined) throw unauthorized();
  const params = Object.fromEntries(Object.entries(fields).filter(([name]) => !OWN_FIELDS.has(name)));
  const question = { ...asked, ...(instance === undefined ? {} : { instance }), params };
  return { person: await hook.ask(question, credentialsOf(request, originRules)), access: 'hook' };
}

/** What the operator's own pages authenticate with. A browser adds cookies for every page: only listed ones may use them. */
function credentialsOf({ headers }: FastifyRequest, rules: OriginRules): Record<string, string> {
  const { authorization, cookie } = headers;
  return {
    ...(authorization === undefined ? {} : { authorization }),
    ...(cookie === undefined || !isTrustedPage(headers, rules) ? {} : { cookie }),
  };
}

async function authorizerOf(
  parts: PusherAuthRoutesParts,
  instance: string | undefined,
  fields: Fields,
): Promise<AppAuthorizer> {
  const authorizer = await parts.authorizerOf(instance, fields['app_key'] || undefined);
  if (authorizer === undefined) throw notFound('There is no such Pusher app: set one first');
  return authorizer;
}

/** The instance whose channel it is: what follows the prefix, which every channel of ours has. */
function instanceOf(channel: string, prefix: string): string | undefined {
  return channel.startsWith(prefix) && channel.length > prefix.length
    ? channel.slice(prefix.length)
    : undefined;
}

function socketIdOf({ socket_id = '' }: Fields): string {
  if (!isSocketId(socket_id))
    throw badRequest(['socket_id: must be the id of a connection, such as 123.456']);
  return socket_id;
}

/** Forms and JSON alike; what is no text is written as JSON. */
function fieldsOf(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {};
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

function claimOf(fields: Fields): Person {
  const { user_id, user_info } = fields;
  if (user_info === undefined) return user_id === undefined ? {} : { user_id };
  const info = objectOf(user_info);
  if (info === undefined) throw badRequest(['user_info: must be a JSON object']);
  return { ...(user_id === undefined ? {} : { user_id }), user_info: info };
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever does not say who it is, is its connection. */
function presenceOf({ user_id = '', user_info }: Person, socketId: string): Presence {
  return { user_id: user_id || socketId, ...(user_info === undefined ? {} : { user_info }) };
}
