import { isUtf8 } from 'node:buffer';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config/gateway-config';
import { shownAccess } from '../http-api/guards';
import {
  asHttpError,
  badRequest,
  type ErrorContext,
  HttpError,
  notFound,
  send,
} from '../http-api/http-errors';
import { descriptorLimit, gatewayLimits } from '../network/descriptors';
import { type GuardedFastify, guardedFastify } from '../network/guarded-fastify';
import { type RefusedCounts, recognise } from '../network/guarded-server';
import type { SharedBudget } from '../network/shared-budget';
import { VERSION } from '../version';
import { boundAnswers } from './answer-budgets';
import { boundBodies } from './body-budgets';
import { isDeeperThan } from './json-depth';

export interface GatewayServerParts extends ErrorContext {
  readonly config: GatewayConfig;
  /** Bytes of bodies whose senders showed no key. */
  readonly bodies: SharedBudget;
  /** Connections that were refused or ended, at most once a minute. */
  readonly onRefused: (counts: RefusedCounts) => void;
  /** Adds the routes. */
  readonly routes: (server: FastifyInstance) => Promise<void>;
}

/** Names of instances have up to 255 characters, each up to 12 when percent-encoded. */
const MAX_PARAM_LENGTH = 4096;
/** Nothing that is sent here is nested half as deep. */
const MAX_JSON_DEPTH = 64;

/** The gateway's HTTP server with what all its routes share: error shape, CORS, limits, its description. */
export async function createGatewayServer(parts: GatewayServerParts): Promise<GuardedFastify> {
  const { config } = parts;
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    send(reply, asHttpError(error, parts, request.routeOptions.bodyLimit));
  const guarded = guardedFastify(
    {
      limits: gatewayLimits(config, descriptorLimit()),
      trustedProxies: config.trustedProxies,
      onRefused: parts.onRefused,
      onError: parts.onUnexpected,
    },
    {
      // A slash at the end changes nothing for clients of the core API.
      routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
      frameworkErrors: (error, _request, reply) => send(reply, asHttpError(error, parts)),
    },
  );
  const { server } = guarded;
  server.setErrorHandler(answer);
  server.setNotFoundHandler((request, reply) => send(reply, unknownRoute(request)));
  parseJson(server);
  await server.register(cors, {
    origin: config.cors.origins.includes('*') ? '*' : [...config.cors.origins],
    methods: [...config.cors.methods],
    credentials: config.cors.credentials,
  });
  // Before its body is read. Pages of other origins shall be able to read this answer, too: after CORS.
  server.addHook('onRequest', async (request) => {
    if (request.is404) throw unknownRoute(request);
  });
  boundBodies(server, parts.bodies);
  boundAnswers(server);
  // Not before its body came: a client with a key could otherwise take any number of places with bodies that never end.
  server.addHook('preHandler', async (request) => {
    if (shownAccess(request) !== undefined) recognise(request.raw.socket);
  });
  if (config.docs) await describeItself(server);
  await server.register(async (scope) => parts.routes(scope));
  return guarded;
}

function unknownRoute({ method, url }: FastifyRequest): HttpError {
  return notFound(`Cannot ${method} ${url.split('?')[0]}`);
}

/** Many clients name a content type where they send nothing. */
function parseJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const text = bytes.toString('utf8');
    const { 'content-encoding': encoding = 'identity' } = request.headers;
    if (text === '') done(null, undefined);
    else if (encoding !== 'identity') {
      done(new HttpError(415, ['the body must not be compressed: send it without content-encoding']));
    } else if (!isUtf8(bytes) || bytes.includes(0)) {
      // A byte of zero is in no JSON, and in every text of UTF-16.
      done(
        badRequest([
          'body: must be JSON in UTF-8, and this is in another encoding, such as Latin-1 or UTF-16',
        ]),
      );
    } else if (isDeeperThan(text, MAX_JSON_DEPTH)) {
      done(badRequest([`body: must not be nested deeper than ${MAX_JSON_DEPTH}`]));
    } else parse(request, text, done);
  });
}

async function describeItself(server: FastifyInstance): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: {
        title: 'Evolution Relay',
        version: VERSION,
        description:
          'Settings of instances, as the core API has them, and what was delivered. Errors: `{status, error, response: {message}}`.',
      },
      components: { securitySchemes: { apikey: { type: 'apiKey', in: 'header', name: 'apikey' } } },
    },
  });
  await server.register(swaggerUi, { routePrefix: '/docs' });
}
