import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config';
import type { GatewayConfig } from '../config/gateway-config';
import { DeadLetters } from '../dead-letters/dead-letters';
import type { DestinationRoutes, RoutesContext } from '../destinations/module';
import { websocketConfig } from '../destinations/websocket/websocket-config';
import { ConfigError, errorCode } from '../errors';
import { createGuards, type Guards } from '../http-api/guards';
import { asHttpError, type ErrorContext } from '../http-api/http-errors';
import { Keys } from '../http-api/keys';
import type { Modules } from '../modules';
import { descriptorLimit, gatewayLimits } from '../network/descriptors';
import type { GuardedFastify } from '../network/guarded-fastify';
import { SharedBudget } from '../network/shared-budget';
import { healthRoutes } from '../observability/health-routes';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import { describeError, throttled } from '../observability/report';
import { RedisConnections } from '../redis/connections';
import { RedisHealth } from '../redis/redis-health';
import type { Subscriber } from '../redis/subscriber';
import { RetryStore } from '../retry/retry-store';
import { warnOfClearSettings } from '../settings/clear-settings';
import { openSettingsStore } from '../settings/open-store';
import type { Settings } from '../settings/section';
import { SettingsCache } from '../settings/settings-cache';
import { InstanceSettings } from '../settings/settings-editor';
import type { SettingsStore } from '../settings/settings-store';
import { subscriberOf } from '../settings/settings-subscriber';
import { Deadline } from '../time/deadline';
import { STRANGERS_BODIES } from './body-budgets';
import { createGatewayServer } from './http-server';
import { auditRoutes } from './routes/audit-routes';
import { deadLetterRoutes } from './routes/dead-letter-routes';
import { settingsRoutes } from './routes/settings-routes';
import { WebSocketHub } from './websocket/hub';

export interface GatewayOptions {
  readonly modules: Modules;
  readonly config: Config;
  /** Of SETTINGS_FILE, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** `stopping` may follow each of the first three; nothing but `closed` follows it. */
type GatewayState = 'idle' | 'starting' | 'listening' | 'stopping' | 'closed';

/** Of the shutdown's deadline, for what comes after the HTTP server: clients that do not go are cut off by then. */
const CLOSING_SHARE = 0.4;

/** The HTTP process: settings, WebSockets, operations. Any number of them may run beside each other. */
export class RelayGateway {
  private readonly redis: RedisConnections;
  private readonly health: RedisHealth;
  private readonly settings: SettingsCache;
  private readonly hub: WebSocketHub | undefined;
  private readonly store: RetryStore;
  private readonly settingsStore: SettingsStore;
  private readonly instances: InstanceSettings;
  private readonly guards: Guards;
  /** What destinations serve. */
  private readonly routes: readonly DestinationRoutes[];
  private readonly keys: Keys;
  private readonly bodies = new SharedBudget(STRANGERS_BODIES);
  private http: GuardedFastify | undefined;
  private state: GatewayState = 'idle';
  private stopping: Promise<void> | undefined;
  private readonly errorContext: ErrorContext = {
    isStoreReady: () => this.store.isReady,
    // Throttled: what strangers send must not fill the log.
    onUnexpected: throttled((error) => this.options.log.error('the gateway failed', describeError(error))),
  };

  constructor(private readonly options: GatewayOptions) {
    const { modules, config, settings: file, log } = options;
    const warnRedis = throttled((error) => log.warn('redis unavailable', describeError(error)));
    this.redis = new RedisConnections({ config: config.redis, onError: warnRedis });
    const { commands } = this.redis;
    this.store = new RetryStore({ redis: commands, prefix: config.redis.prefix, onError: warnRedis });
    const store = openSettingsStore(modules.sections, config, commands);
    this.settingsStore = store;
    this.instances = new InstanceSettings({ store, file, config });
    this.keys = new Keys({
      apiKey: config.gateway.apiKey,
      tokenDigestOf: (instance) => this.instances.tokenDigestOf(instance),
    });
    this.guards = createGuards(this.keys);
    const context = this.routesContext(warnRedis);
    this.routes = modules.destinations.flatMap((module) => module.routes?.(context) ?? []);
    this.settings = new SettingsCache({
      store,
      subscriber: subscriberOf(this.redis.subscriber()),
      file,
      onChange: (instance) => {
        void this.hub?.recheck(instance);
        for (const routes of this.routes) routes.settingsChanged?.();
      },
      onError: warnRedis,
      log,
    });
    this.health = new RedisHealth({
      redis: commands,
      prefix: config.redis.prefix,
      log,
      counts: async () => ({ ...(await this.store.counts()), settings: await store.count() }),
      onStoreLost: () => options.metrics.storeLost.add(),
    });
    // What WebSocket clients receive is large: changes of settings do not wait behind it.
    this.hub = websocketConfig.of(config).enabled ? this.createHub(this.redis.subscriber()) : undefined;
  }

  /** Resolves when it answers, or was stopped meanwhile; where Redis is away, it says so in its answers. */
  async start(): Promise<void> {
    if (this.state !== 'idle') return;
    this.become('starting');
    const { config, log } = this.options;
    warnOfDescriptors(config.gateway, log);
    const http = await createGatewayServer({
      config: config.gateway,
      ...this.errorContext,
      bodies: this.bodies,
      onRefused: (counts) => log.warn('connections refused at the gateway', counts),
      routes: (server) => this.addRoutes(server),
    });
    if (this.hasStopped) return void (await http.server.close());
    this.http = http;
    this.health.start();
    this.settings.start();
    this.store
      .waitUntilReady()
      .then(
        () => warnOfClearSettings(config, this.settingsStore, log),
        () => {},
      )
      .catch((error: unknown) => log.warn('settings cannot be looked through', describeError(error)));
    this.hub?.attach(http.server.server);
    await this.listen(http.server);
  }

  /** Stops, whether it was started or not; requests under way are cut off. Further calls wait for the first. */
  stop(): Promise<void> {
    this.stopping ??= this.close();
    return this.stopping;
  }

  private get hasStopped(): boolean {
    return this.state === 'stopping' || this.state === 'closed';
  }

  private become(state: GatewayState): void {
    this.options.log.debug('gateway state', { from: this.state, to: state });
    this.state = state;
  }

  private async listen(server: FastifyInstance): Promise<void> {
    const { host, port } = this.options.config.gateway;
    try {
      await server.listen({ host, port });
    } catch (error) {
      if (this.hasStopped) return;
      throw new ConfigError(
        [
          `GATEWAY_PORT, GATEWAY_HOST: ${host}:${port} cannot be listened on (${errorCode(error)}): name a free port`,
        ],
        { cause: error },
      );
    }
    if (this.hasStopped) return;
    this.become('listening');
    this.options.log.info('gateway started', { address: `http://${host}:${port}` });
  }

  private createHub(subscriber: Subscriber): WebSocketHub {
    const { config, metrics, log } = this.options;
    return new WebSocketHub({
      gateway: config.gateway,
      config: websocketConfig.of(config),
      keys: this.keys,
      bodies: this.bodies,
      subscriber,
      redis: this.redis.commands,
      prefix: config.redis.prefix,
      observer: {
        connected: (protocol, count) => metrics.webSocketClients.set({ protocol }, count),
        cutOff: (reason) => metrics.webSocketCutOff.add(reason),
      },
      asHttpError: (error) => asHttpError(error, this.errorContext),
      onError: throttled((error) => log.warn('websocket clients wait', describeError(error))),
    });
  }

  private routesContext(onError: (error: unknown) => void): RoutesContext {
    const { instances, keys, guards, settingsStore } = this;
    const { config, metrics, settings: file } = this.options;
    const allSettings = async function* (): AsyncGenerator<readonly [instance: string, settings: Settings]> {
      for await (const [instance, stored] of settingsStore.list()) {
        if (stored.kind === 'readable') yield [instance, stored.settings];
      }
      yield* file;
    };
    return { config, redis: this.redis.commands, metrics, keys, guards, instances, allSettings, onError };
  }

  private addRoutes(server: FastifyInstance): void {
    const { modules, config, metrics } = this.options;
    const { instances, store, health, guards } = this;
    healthRoutes(server, {
      registry: metrics.registry,
      readiness: () => ({ ready: health.state.ready, parts: { redis: health.state.detail } }),
    });
    settingsRoutes(server, { instances, guards, sections: modules.sections, config });
    deadLetterRoutes(server, { deadLetters: new DeadLetters(store), guards });
    auditRoutes(server, { store, guards });
    for (const routes of this.routes) routes.add(server);
  }

  private async close(): Promise<void> {
    this.become('stopping');
    const { shutdownTimeoutMs } = this.options.config;
    const deadline = new Deadline(shutdownTimeoutMs);
    this.settings.close();
    this.hub?.close();
    await this.closeHttp(deadline, shutdownTimeoutMs * CLOSING_SHARE);
    await deadline.finishesInTime(
      Promise.all([this.store.close(), ...this.routes.map((routes) => routes.close())]),
    );
    await deadline.finishesInTime(this.health.stop());
    this.redis.close();
    this.become('closed');
    this.options.log.info('gateway stopped');
  }

  /** Clients that are still there when the time is up are cut off: none keeps the process. */
  private async closeHttp(deadline: Deadline, reserveMs: number): Promise<void> {
    if (this.http === undefined) return;
    const closed = this.http.server.close();
    if (await deadline.finishesInTime(closed, reserveMs)) return;
    this.http.destroyAll();
    await deadline.finishesInTime(closed, reserveMs / 2);
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
