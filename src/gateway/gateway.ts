import type { FastifyInstance } from 'fastify';
import type { GatewayConfig } from '../config/gateway-config';
import { hostAndPort } from '../config/url';
import { wantsPage } from '../dashboard/own-page';
import { ParkedDeliveries } from '../dead-letters/parked-deliveries';
import { DestinationList } from '../health/destination-list';
import { StateMachine } from '../lifecycle/state-machine';
import { runSteps, type Step } from '../lifecycle/steps';
import { descriptorLimit, gatewayLimits } from '../network/descriptors';
import { type GuardedFastify, listenWhile } from '../network/guarded-fastify';
import { healthRoutes, type Readiness } from '../observability/health-routes';
import type { Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import { ReferenceReader } from '../references/reference-reader';
import { warnOfClearSettings } from '../settings/clear-settings';
import { SilenceStore } from '../silence/silence-store';
import { composeGateway, type GatewayOptions, type GatewayParts } from './compose-gateway';
import { GATEWAY_TRANSITIONS, type GatewayState } from './gateway-states';
import { createGatewayServer } from './http-server';
import { auditRoutes } from './routes/audit-routes';
import { coreApiRoutes } from './routes/core-api-routes';
import { deadLetterRoutes } from './routes/dead-letter-routes';
import { deliveryRoutes } from './routes/delivery-routes';
import { destinationRoutes } from './routes/destination-routes';
import { filterRoutes } from './routes/filter-routes';
import { instanceRoutes } from './routes/instance-routes';
import { mediaRoutes } from './routes/media-routes';
import { parkedRoutes } from './routes/parked-routes';
import { replayRoutes } from './routes/replay-routes';
import { settingsRoutes } from './routes/settings-routes';

/** The HTTP process: settings, WebSockets, operations. Any number of them may run beside each other. */
export class RelayGateway {
  private readonly parts: GatewayParts;
  private readonly machine: StateMachine<GatewayState>;
  private http: GuardedFastify | undefined;
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: GatewayOptions) {
    this.parts = composeGateway(options);
    this.machine = new StateMachine<GatewayState>({
      name: 'gateway',
      initial: 'idle',
      transitions: GATEWAY_TRANSITIONS,
      log: options.log,
    });
  }

  /**
   * Resolves when it answers, or was stopped meanwhile; where Redis is away, it says so in its answers. Called again, it
   * does nothing.
   *
   * @throws StoreUnavailableError where a later version of the relay stored what lies in Redis
   */
  async start(): Promise<void> {
    if (!this.machine.move('starting')) return;
    const { config, log } = this.options;
    const { errors, bodies, health, settings, hub, replays, dashboard } = this.parts;
    warnOfDescriptors(config.gateway, log);
    health.start();
    const http = await createGatewayServer({
      config: config.gateway,
      ...errors,
      bodies,
      onRefused: (counts) => log.warn('connections refused at the gateway', counts),
      routes: (server) => this.addRoutes(server),
    });
    if (!this.machine.is('starting')) return void (await http.server.close());
    this.http = http;
    await health.firstBeat();
    if (!this.machine.is('starting')) return;
    settings.start();
    replays.runner.start();
    dashboard.start();
    void this.checkOnce();
    hub?.attach(http.server.server);
    await this.listen(http.server);
  }

  get readiness(): Readiness {
    const { ready, detail } = this.parts.health.state;
    return { ready, parts: { redis: detail } };
  }

  /** Stops, whether it was started or not; requests under way are cut off. Further calls wait for the first. */
  stop(): Promise<void> {
    this.stopping ??= this.close();
    return this.stopping;
  }

  private async listen(server: FastifyInstance): Promise<void> {
    const { host, port } = this.options.config.gateway;
    const address = { host, port, variables: 'GATEWAY_PORT, GATEWAY_HOST' };
    await listenWhile(server, address, () => this.machine.is('starting'));
    if (this.machine.move('listening'))
      this.options.log.info('gateway started', { address: `http://${hostAndPort(host, port)}` });
  }

  /** Looks once at what an operator should know about the settings, when they can be read first. */
  private async checkOnce(): Promise<void> {
    const { config, log } = this.options;
    const { store, settingsStore } = this.parts;
    try {
      await store.waitUntilReady();
      await warnOfClearSettings(config, settingsStore, log);
    } catch (error) {
      log.warn('settings cannot be looked through', describeError(error));
    }
  }

  private async addRoutes(server: FastifyInstance): Promise<void> {
    const { modules, config, metrics } = this.options;
    const { instances, store, guards, routes, replays, allSettings, coreInstances, dashboard, redis } =
      this.parts;
    healthRoutes(server, {
      registry: metrics.registry,
      readiness: () => this.readiness,
    });
    coreApiRoutes(server, {
      guards,
      sections: modules.sections,
      find: (instance) => instances.find(instance),
      all: allSettings,
      wantsPage,
    });
    settingsRoutes(server, { instances, guards, sections: modules.sections, config, coreInstances });
    filterRoutes(server, { modules: modules.destinations, config, instances, store, guards });
    const kinds = modules.destinations.map(({ kind }) => kind);
    deadLetterRoutes(server, { replays, guards, kinds });
    parkedRoutes(server, { parked: new ParkedDeliveries(store), guards, kinds });
    deliveryRoutes(server, { log: replays.log, guards, kinds });
    replayRoutes(server, { replays, guards, kinds });
    auditRoutes(server, { store, guards });
    destinationRoutes(server, { destinations: new DestinationList(store), guards });
    instanceRoutes(server, { silence: new SilenceStore(store), guards });
    mediaRoutes(server, new ReferenceReader({ redis: redis.commands, prefix: config.redis.prefix }));
    await routes.add(server);
    await dashboard.add(server);
  }

  private async close(): Promise<void> {
    this.machine.move('stopping');
    const { config, log } = this.options;
    const deadlineMs = config.shutdownTimeoutMs;
    await runSteps({ what: 'gateway', steps: this.closingSteps(), deadlineMs, log });
    this.machine.move('closed');
    log.info('gateway stopped');
  }

  /** In hundredths of the deadline. Clients that are still there when their time is up are cut off: none keeps the process. */
  private closingSteps(): Step[] {
    const { http } = this;
    const { settings, hub, lifecycle } = this.parts;
    let closing: Promise<unknown> = Promise.resolve();
    let isClosed = http === undefined;
    const closeHttp = async (): Promise<void> => {
      await http?.server.close();
      isClosed = true;
    };
    return [
      { name: 'settings', share: 0, run: () => settings.close() },
      { name: 'websocket clients', share: 0, run: () => hub?.close() },
      {
        name: 'http clients',
        share: 60,
        run: () => {
          closing = closeHttp();
          return closing;
        },
      },
      {
        name: 'cut off clients',
        share: 20,
        run: () => {
          if (!isClosed) http?.destroyAll();
          return closing;
        },
      },
      ...lifecycle.releaseSteps(20),
    ];
  }
}

/** Where the connections that are configured leave too few file descriptors to everything else. */
function warnOfDescriptors(config: GatewayConfig, log: Logger): void {
  const descriptors = descriptorLimit();
  const { inAll } = gatewayLimits(config, descriptors);
  if (inAll <= descriptors / 2) return;
  log.warn(
    'GATEWAY_MAX_CONNECTIONS is more than half of the file descriptors: deliveries may find none left',
    {
      connections: inAll,
      descriptors,
    },
  );
}
