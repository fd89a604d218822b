import type { FastifyInstance } from 'fastify';
import { RelayError } from '../errors';
import { descriptorLimit, metricsLimits } from '../network/descriptors';
import { guardedFastify } from '../network/guarded-fastify';
import type { RefusedCounts } from '../network/guarded-server';
import { type HealthRoutesParts, healthRoutes } from '../observability/health-routes';

export interface MetricsServerParts extends HealthRoutesParts {
  /** Connections that were refused or ended, at most once a minute. */
  readonly onRefused: (counts: RefusedCounts) => void;
  readonly onError: (error: unknown) => void;
}

class UnknownRouteError extends RelayError {
  readonly statusCode = 404;

  constructor(method: string) {
    super('UNKNOWN_ROUTE', `Cannot ${method} that: GET /metrics, /healthz and /readyz are all there is`);
  }
}

/** The worker's own port: /metrics, /healthz, /readyz. */
export function createHttpServer({ onRefused, onError, ...parts }: MetricsServerParts): FastifyInstance {
  const { server } = guardedFastify({
    limits: metricsLimits(descriptorLimit()),
    trustedProxies: [],
    onRefused,
    onError,
  });
  // Before its body is read.
  server.addHook('onRequest', async (request) => {
    if (request.is404) throw new UnknownRouteError(request.method);
  });
  healthRoutes(server, parts);
  return server;
}
