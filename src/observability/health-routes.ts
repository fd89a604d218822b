import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { VERSION } from '../version';

/** What /readyz answers: every part by name, with what it waits for. */
export interface Readiness {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, string>>;
}

export interface HealthRoutesParts {
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  readonly readiness: () => Readiness | Promise<Readiness>;
}

/** /metrics, /healthz and /readyz: of the worker's own port, and of the gateway. They need no key. */
export function healthRoutes(server: FastifyInstance, { registry, readiness }: HealthRoutesParts): void {
  let gathering: Promise<string> | undefined;
  // Requests that come together share one reading of all metrics.
  const gather = (): Promise<string> => {
    gathering ??= registry.metrics().finally(() => {
      gathering = undefined;
    });
    return gathering;
  };
  server.get('/metrics', open('Metrics for Prometheus'), async (_request, reply) =>
    reply.type(registry.contentType).send(await gather()),
  );
  server.get('/healthz', open('Whether the process is alive'), async () => ({
    status: 'ok',
    version: VERSION,
  }));
  server.get('/readyz', open('Whether it can work, part by part; 503 if not'), async (_request, reply) => {
    const { ready, parts } = await readiness();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'waiting', ...parts });
  });
}

/** As the gateway's description lists it: without a key. */
function open(summary: string): { schema: object } {
  return { schema: { tags: ['operations'], summary, security: [] } };
}
