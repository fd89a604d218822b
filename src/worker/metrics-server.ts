import fastify, { type FastifyInstance } from 'fastify';
import { type HealthRoutesParts, healthRoutes } from '../observability/health-routes';

/** The worker's own port: /metrics, /healthz, /readyz (interface.md). */
export function createHttpServer(parts: HealthRoutesParts): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true });
  healthRoutes(server, parts);
  return server;
}
