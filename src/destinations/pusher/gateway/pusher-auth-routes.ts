import type { FastifyInstance, FastifyRequest } from 'fastify';
import { keyOf } from '../../../http-api/guards';
import { badRequest, type HttpError, notFound } from '../../../http-api/http-errors';
import type { Access, Keys } from '../../../http-api/keys';
import { describe } from '../../../http-api/openapi';
import { isTrustedPage, type OriginRules } from '../../../http-api/origins';
import { instanceNameProblem as wrongInstanceName } from '../../../settings/instance-names';
import { instanceNameProblem, isGuardedChannel, isPresenceChannel } from '../pusher-names';
import { type AppAuthorizer, isSocketId, type Presence } from '../subscription-auth';
import { type AuthHook, forbidden, type Person } from './auth-hook';
import type { HookLimits } from './hook-limits';
import { acceptForms } from './pusher-body';
import { userIdOf } from './user-id';

export interface PusherAuthRoutesParts {
  readonly keys: Keys;
  readonly channelPrefix: string;
  /** Decides about clients that present no key; without it they are refused. */
  readonly hook: AuthHook | undefined;
  readonly hookLimits: HookLimits;
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

/** What a client asks for. */
interface Asked {
  readonly fields: Fields;
  readonly question: { readonly socket_id: string; readonly channel_name?: string };
  readonly instance: string | undefined;
  /** Why it cannot be granted, whoever asks. */
  readonly problem: HttpError | undefined;
}

async function channelAuth(parts: PusherAuthRoutesParts, request: FastifyRequest): Promise<object> {
  const fields = fieldsOf(request.body);
  const socketId = socketIdOf(fields);
  const channel = fields['channel_name'] ?? '';
  const instance = instanceOf(channel, parts.channelPrefix);
  const question = { socket_id: socketId, channel_name: channel };
  const problem = channelProblem(channel, instance, parts.channelPrefix);
  const { person } = await decide(parts, request, { fields, question, instance, problem });
  const authorizer = await authorizerOf(parts, instance, fields);
  return authorizer.channel(
    socketId,
    channel,
    isPresenceChannel(channel) ? presenceOf(person, socketId) : undefined,
  );
}

function channelProblem(
  channel: string,
  instance: string | undefined,
  prefix: string,
): HttpError | undefined {
  if (instance === undefined) return forbidden();
  if (!isGuardedChannel(channel)) {
    return badRequest([`channel_name: ${channel} is public: it is subscribed to without a signature`]);
  }
  const problem = instanceNameProblem(instance, prefix);
  return problem === undefined ? undefined : badRequest([`channel_name: ${problem}`]);
}

async function userAuth(parts: PusherAuthRoutesParts, request: FastifyRequest): Promise<object> {
  const fields = fieldsOf(request.body);
  const socketId = socketIdOf(fields);
  const instance = fields['instance'] || undefined;
  const wrongName = instance === undefined ? undefined : wrongInstanceName(instance);
  const problem = wrongName === undefined ? undefined : badRequest([`instance: ${wrongName}`]);
  const question = { socket_id: socketId };
  const { person, access } = await decide(parts, request, { fields, question, instance, problem });
  if (person.user_id === undefined || person.user_id === '') throw badRequest(['user_id: is required']);
  const authorizer = await authorizerOf(parts, instance, fields);
  return authorizer.user(socketId, {
    id: userIdOf(person.user_id, access, instance),
    ...(person.user_info === undefined ? {} : { user_info: person.user_info }),
  });
}

/** Whether the client may, and who it is: by its key, or, where it has none, by the hook. */
async function decide(
  parts: PusherAuthRoutesParts,
  request: FastifyRequest,
  asked: Asked,
): Promise<{ readonly person: Person; readonly access: Access | 'hook' }> {
  const { keys, hook } = parts;
  const { fields, instance, problem } = asked;
  const key = keyOf(request) ?? fields['apikey'];
  if (key !== undefined || hook === undefined) {
    const access = await keys.check(request.ip, key, instance);
    // Only now: a client without access must not learn which channels there are.
    if (problem !== undefined) throw problem;
    return { person: claimOf(fields), access };
  }
  // The hook is asked about nothing that could not be granted anyway.
  if (problem !== undefined) throw problem;
  const person = await parts.hookLimits.run(request.ip, () => askHook(parts, request, hook, asked));
  return { person, access: 'hook' };
}

async function askHook(
  parts: PusherAuthRoutesParts,
  request: FastifyRequest,
  hook: AuthHook,
  { fields, question, instance }: Asked,
): Promise<Person> {
  const authorizer = await parts.authorizerOf(instance, fields['app_key'] || undefined);
  // A client without a key must not learn which instances have an app.
  if (authorizer === undefined) throw forbidden();
  const params = Object.fromEntries(Object.entries(fields).filter(([name]) => !OWN_FIELDS.has(name)));
  const named = instance === undefined ? {} : { instance };
  return hook.ask({ ...question, ...named, params }, credentialsOf(request, parts.originRules));
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

/** A client that names no user is identified by its connection. */
function presenceOf({ user_id = '', user_info }: Person, socketId: string): Presence {
  return { user_id: user_id || socketId, ...(user_info === undefined ? {} : { user_info }) };
}
