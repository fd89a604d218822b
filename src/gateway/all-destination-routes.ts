import type { FastifyInstance } from 'fastify';
import type { DestinationModule, DestinationRoutes, RoutesContext } from '../destinations/module';

/** What destinations serve at one gateway: their code is loaded when the gateway starts. */
export class AllDestinationRoutes {
  private readonly opened: DestinationRoutes[] = [];
  private isClosed = false;

  constructor(
    private readonly modules: readonly DestinationModule[],
    private readonly context: RoutesContext,
  ) {}

  async add(server: FastifyInstance): Promise<void> {
    for (const module of this.modules) {
      const routes = await module.routes?.(this.context);
      if (routes === undefined) continue;
      this.opened.push(routes);
      routes.add(server);
    }
    // The gateway was stopped meanwhile.
    if (this.isClosed) await this.close();
  }

  settingsChanged(): void {
    for (const each of this.opened) each.settingsChanged?.();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.opened.splice(0).map((each) => each.close()));
  }
}
