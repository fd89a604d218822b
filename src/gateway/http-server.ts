import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyInstance } from 'fastify';
import type { GatewayConfig } from '../config/gateway-config';
import { VERSION } from '../version';
import { asHttpError, BODY_LIMIT, type ErrorContext, notFound, send } from './http-errors';

export interface GatewayServerParts extends ErrorContext {
  readonly config: GatewayConfig;
  /** Adds the routes. */
  readonly routes: (server: FastifyInstance) => void;
}

const REQUEST_TIMEOUT_MS = 60_000;
/** Names of instances have up to 255 characters, each up to 12 when percent-encoded. */
const MAX_PARAM_LENGTH = 4096;

/** The gateway's HTTP server with what all its routes share: error shape, CORS, limits, its description. */
export async function createGatewayServer(parts: GatewayServerParts): Promise<FastifyInstance> {
  const { config } = parts;
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    // A slash at the end changes nothing for clients of the core API.
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
    frameworkErrors: (error, _request, reply) => send(reply, asHttpError(error, parts)),
  });
  server.setErrorHandler((error, _request, reply) => send(reply, asHttpError(error, parts)));
  server.setNotFoundHandler(({ method, url }, reply) =>
    send(reply, notFound(`Cannot ${method} ${url.split('?')[0]}`)),
  );
  acceptEmptyBodies(server);
  // Bodies are checked by the routes, which name every problem at once; schemas only describe.
  server.setValidatorCompiler(() => () => true);
  await server.register(cors, {
    origin: config.cors.origins.includes('*') ? true : [...config.cors.origins],
    methods: [...config.cors.methods],
    credentials: config.cors.credentials,
  });
  if (config.docs) await describeItself(server);
  await server.register(async (scope) => parts.routes(scope));
  return server;
}

/** Many clients name a content type where they send nothing. */
function acceptEmptyBodies(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, String(body), done);
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
