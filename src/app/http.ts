import fastify, { type FastifyInstance } from 'fastify';
import type { Metrics } from '../observability/metrics';

/** What /readyz answers: every part by name, with what it waits for. */
export interface Readiness {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, string>>;
}

/** The worker's own port: /metrics, /healthz, /readyz (interface.md). */
export function createHttpServer(metrics: Metrics, readiness: () => Readiness): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const state = readiness();
    return reply
      .code(state.ready ? 200 : 503)
      .send({ status: state.ready ? 'ready' : 'waiting', ...state.parts });
  });
  return server;
}
