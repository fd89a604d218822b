import type { Config } from '../config/config';
import { Dashboard } from '../dashboard/dashboard';
import { instanceOf } from '../destinations/destination-ids';
import type { RoutesContext } from '../destinations/module';
import { websocketConfig } from '../destinations/websocket/websocket-config';
import { createGuards, type Guards } from '../http-api/guards';
import { asHttpError, type ErrorContext } from '../http-api/http-errors';
import { Keys } from '../http-api/keys';
import { schemaOf } from '../http-api/openapi';
import { Lifecycle } from '../lifecycle/lifecycle';
import type { Modules } from '../modules';
import { SharedBudget } from '../network/shared-budget';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import { describeError, throttled } from '../observability/report';
import { RedisConnections } from '../redis/connections';
import { RedisHealth } from '../redis/redis-health';
import { openReplays, type Replays } from '../replays/open-replays';
import { RetryStore } from '../retry/retry-store';
import { Shares } from '../retry/shares';
import { openSettingsStore } from '../settings/open-store';
import type { Settings } from '../settings/section';
import { SettingsCache } from '../settings/settings-cache';
import { SettingsEditor } from '../settings/settings-editor';
import type { FileFault } from '../settings/settings-file';
import type { SettingsStore } from '../settings/settings-store';
import { subscriberOf } from '../settings/settings-subscriber';
import { AllDestinationRoutes } from './all-destination-routes';
import { STRANGERS_BODIES } from './body-budgets';
import { CoreInstances } from './core-instances';
import { WebSocketHub } from './websocket/hub';

export interface GatewayOptions {
  readonly modules: Modules;
  readonly config: Config;
  /** Of SETTINGS_FILE, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
  /** Entries of SETTINGS_FILE that are wrong. */
  readonly fileFaults?: readonly FileFault[];
  readonly metrics: Metrics;
  readonly log: Logger;
  /** It cannot go on working: it is to be stopped, and has failed. */
  readonly onUnusable?: () => void;
}

/** Redis, and what is read and written there. */
interface GatewayStorage {
  readonly redis: RedisConnections;
  readonly store: RetryStore;
  readonly settingsStore: SettingsStore;
  readonly health: RedisHealth;
  readonly warnRedis: (error: unknown) => void;
  readonly replays: Replays;
}

/** What a gateway starts, and what its routes use. */
export interface GatewayParts extends GatewayStorage {
  readonly settings: SettingsCache;
  readonly hub: WebSocketHub | undefined;
  readonly instances: SettingsEditor;
  readonly keys: Keys;
  readonly guards: Guards;
  readonly allSettings: RoutesContext['allSettings'];
  /** Undefined where the core API's address is not configured. */
  readonly coreInstances: CoreInstances | undefined;
  /** What destinations serve. */
  readonly routes: AllDestinationRoutes;
  /** Bodies of requests that showed no key. */
  readonly bodies: SharedBudget;
  readonly errors: ErrorContext;
  readonly dashboard: Dashboard;
  /** Redis is released last. */
  readonly lifecycle: Lifecycle;
}

/** Makes every part of a gateway; nothing runs yet. */
export function composeGateway(options: GatewayOptions): GatewayParts {
  const { config, settings: file, fileFaults = [], log } = options;
  const lifecycle = new Lifecycle();
  const storage = composeStorage(options, lifecycle);
  const { redis, settingsStore, warnRedis } = storage;
  const instances = new SettingsEditor({
    ...{ store: settingsStore, file, fileFaults, config },
    alsoKnow: (ofInstance) => options.modules.consumedEvents.setInVain(config, ofInstance),
  });
  const keys = new Keys({
    apiKey: config.gateway.apiKey,
    tokenDigestOf: (instance) => instances.tokenDigestOf(instance),
  });
  const guards = createGuards(keys);
  const allSettings = readableOf(settingsStore, file);
  const coreInstances = coreInstancesOf(options, lifecycle);
  const routes = openRoutes(options, storage, { instances, keys, guards, allSettings });
  lifecycle.add('destinations', routes, (all) => all.close());
  const settings = new SettingsCache({
    store: settingsStore,
    subscriber: subscriberOf(redis.subscriber()),
    file,
    fileFaults,
    onChange: (instance) => {
      void hub?.recheck(instance);
      routes.settingsChanged();
    },
    onError: warnRedis,
    log,
  });
  const bodies = new SharedBudget(STRANGERS_BODIES);
  const errors: ErrorContext = {
    isStoreReady: () => storage.store.isReady,
    // Throttled: what strangers send must not fill the log.
    onUnexpected: throttled((error) => log.error('the gateway failed', describeError(error))),
  };
  const hub = hubOf(options, { redis, keys, bodies, errors });
  const dashboard = dashboardOf(options, { storage, instances, keys, errors, allSettings });
  lifecycle.add('dashboard', dashboard, (each) => each.stop());
  return {
    ...storage,
    settings,
    hub,
    instances,
    keys,
    guards,
    allSettings,
    coreInstances,
    routes,
    bodies,
    errors,
    dashboard,
    lifecycle,
  };
}

function dashboardOf(
  { config, modules, log }: GatewayOptions,
  {
    storage,
    instances,
    keys,
    errors,
    allSettings,
  }: Pick<GatewayParts, 'instances' | 'keys' | 'errors' | 'allSettings'> & {
    readonly storage: GatewayStorage;
  },
): Dashboard {
  const { store, replays } = storage;
  const tokenDigestOf = (instance: string): Promise<Buffer | undefined> => instances.tokenDigestOf(instance);
  const sections = modules.sections.list.map((section) => ({
    name: section.name,
    further: section.definition.named?.field,
    schema: schemaOf(section.definition.fields),
    secrets: section.fieldsWith('text'),
  }));
  return new Dashboard({
    sections,
    ...{ config: config.gateway, keys, tokenDigestOf, store, replays, allSettings, errors, log },
  });
}

function composeStorage(options: GatewayOptions, lifecycle: Lifecycle): GatewayStorage {
  const { modules, config, log, metrics } = options;
  const { prefix } = config.redis;
  const warnRedis = throttled((error) => log.warn('redis unavailable', describeError(error)));
  const redis = new RedisConnections({ config: config.redis, onError: warnRedis });
  lifecycle.add('redis', redis, (connections) => connections.close());
  const settingsStore = openSettingsStore(modules.sections, config, redis.commands);
  const health: RedisHealth = new RedisHealth({
    redis: redis.commands,
    prefix,
    log,
    counts: async () => ({ ...(await store.counts()), settings: await settingsStore.count() }),
    onStoreLost: () => metrics.storeLost.add(),
    onStoreNewer: () => {
      redis.close();
      options.onUnusable?.();
    },
  });
  lifecycle.add('redis health', health, (each) => each.stop());
  const { deadLetterShare } = config.retry;
  const store = new RetryStore({ redis: redis.commands, prefix, onError: warnRedis, deadLetterShare });
  lifecycle.add('retry queue', store, (queue) => queue.close());
  const replays = replaysOf(options, { redis, store });
  lifecycle.add('replays', replays.runner, (runner) => runner.stop());
  return { redis, store, settingsStore, health, warnRedis, replays };
}

function replaysOf(
  { config, log }: GatewayOptions,
  { redis, store }: Pick<GatewayStorage, 'redis' | 'store'>,
): Replays {
  return openReplays({
    store,
    redis: redis.open('commands'),
    prefix: config.redis.prefix,
    shares: new Shares({ limits: config.retry.parkedMaxBytes, instanceOf }),
    onError: throttled((error) => log.warn('a replay waits', describeError(error))),
  });
}

/** What destinations serve. */
function openRoutes(
  { modules, config, metrics }: GatewayOptions,
  { redis, warnRedis }: GatewayStorage,
  access: Pick<GatewayParts, 'instances' | 'keys' | 'guards' | 'allSettings'>,
): AllDestinationRoutes {
  const { commands } = redis;
  const context = { config, redis: commands, metrics, ...access, onError: warnRedis };
  return new AllDestinationRoutes(modules.destinations, context);
}

function coreInstancesOf({ config, log }: GatewayOptions, lifecycle: Lifecycle): CoreInstances | undefined {
  const { coreApiUrl: url, apiKey } = config.gateway;
  if (url === undefined) return undefined;
  const onError = throttled((error) =>
    log.warn('the core API cannot be asked for its instances', describeError(error)),
  );
  const instances = new CoreInstances({ url, apiKey, outgoing: config.outgoing, onError });
  lifecycle.add('core API', instances, (each) => each.close());
  return instances;
}

/** Settings of all instances that can be read: of Redis, then of the file. */
function readableOf(store: SettingsStore, file: ReadonlyMap<string, Settings>): GatewayParts['allSettings'] {
  return async function* () {
    for await (const [instance, stored] of store.list()) {
      if (stored.kind === 'readable') yield [instance, stored.settings];
    }
    yield* file;
  };
}

function hubOf(
  { config, metrics, log }: GatewayOptions,
  { redis, keys, bodies, errors }: Pick<GatewayParts, 'redis' | 'keys' | 'bodies' | 'errors'>,
): WebSocketHub | undefined {
  const webSocket = websocketConfig.of(config);
  if (!webSocket.enabled) return undefined;
  return new WebSocketHub({
    gateway: config.gateway,
    config: webSocket,
    keys,
    bodies,
    // What WebSocket clients receive is large: changes of settings do not wait behind it.
    subscriber: redis.subscriber(),
    redis: redis.commands,
    prefix: config.redis.prefix,
    observer: {
      connected: (protocol, count) => metrics.webSocketClients.set({ protocol }, count),
      cutOff: (reason) => metrics.webSocketCutOff.add(reason),
    },
    asHttpError: (error) => asHttpError(error, errors),
    onError: throttled((error) => log.warn('websocket clients wait', describeError(error))),
  });
}
