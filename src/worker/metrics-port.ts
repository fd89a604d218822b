import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from '../network/guarded-fastify';
import type { MetricsServerParts } from './metrics-server';

/** A worker's own port. What serves it is loaded when it opens: a worker under a supervisor has none. */
export class MetricsPort {
  private server: FastifyInstance | undefined;

  constructor(private readonly parts: MetricsServerParts) {}

  /**
   * False where it was not wanted any more by then.
   *
   * @throws ConfigError where it cannot be opened
   */
  async open(address: ListenAddress, isWanted: () => boolean): Promise<boolean> {
    const [{ createHttpServer }, { listenWhile }] = await Promise.all([
      import('./metrics-server.js'),
      import('../network/guarded-fastify.js'),
    ]);
    if (!isWanted()) return false;
    this.server = createHttpServer(this.parts);
    return listenWhile(this.server, address, isWanted);
  }

  async close(): Promise<void> {
    await this.server?.close();
  }
}
