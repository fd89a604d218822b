import type { FastifyInstance } from 'fastify';
import { instanceOf } from '../destinations/destination-ids';
import type { Destinations } from '../destinations/directory';
import type { HealthBoard } from '../health/health-board';
import { AuditWatch } from '../ledger/audit-watch';
import { FlowStore } from '../ledger/flow-store';
import { LidBook } from '../lids/lid-book';
import { Lifecycle } from '../lifecycle/lifecycle';
import type { Readiness } from '../observability/health-routes';
import { describeError, throttled } from '../observability/report';
import type { DestinationId } from '../pipeline/delivery';
import type { Relay } from '../pipeline/relay';
import { inspectRedis } from '../redis/redis-doctor';
import type { Subscriptions } from '../redis/subscriber';
import { SettingsCache } from '../settings/settings-cache';
import { subscriberOf } from '../settings/settings-subscriber';
import { Alerting } from './alerting';
import { composeDelivery, type DeliveryParts } from './compose-delivery';
import { composeDeliveryLog, openDeliveryLog } from './compose-delivery-log';
import { composeDestinations } from './compose-destinations';
import { composeStorage, type Storage } from './compose-storage';
import type { DrainParts } from './drain';
import { Gauges } from './gauges';
import type { HealthSummary } from './health-summary';
import { Sources } from './intake';
import { keptNotes } from './kept-notes';
import { createHttpServer } from './metrics-server';
import type { Observer } from './observer';
import { OrderedCopies } from './ordered-copies';
import { readinessOf } from './readiness';
import { Retries } from './retries';
import { Silences } from './silences';
import type { WorkerOptions } from './worker-options';

/** What a worker starts, and what its drain ends. */
export interface WorkerParts extends DrainParts {
  readonly storage: Storage;
  /** Asked at any moment. */
  readonly readiness: () => Readiness;
  readonly http: FastifyInstance;
  readonly settings: SettingsCache;
  readonly destinations: Destinations;
  readonly relay: Relay;
  readonly health: HealthBoard;
  readonly healthSummary: HealthSummary;
  readonly retries: Retries;
  readonly sources: Sources;
  readonly gauges: Gauges;
  readonly silences: Silences;
  readonly alerting: Alerting;
  readonly lids: LidBook;
  readonly copies: OrderedCopies;
}

/**
 * Makes every part of a worker; nothing runs yet. The lifecycle releases in reverse: brokers are closed before what
 * their messages go through, Redis last.
 */
export function composeWorker(options: WorkerOptions): WorkerParts {
  const { modules, config, metrics, log, settings: file, fileFaults = [] } = options;
  const lifecycle = new Lifecycle();
  if (options.tracing !== undefined) lifecycle.add('traces', options.tracing, (each) => each.close());
  const deliveryLog = composeDeliveryLog(options, (envelope) => {
    silences.note(envelope);
    lids.heard(envelope);
  });
  const { observer } = deliveryLog;
  const onStoreLost = (): void => {
    metrics.storeLost.add();
    delivery.health.readAnew();
  };
  const storage = composeStorage({ options, observer, onStoreLost, lifecycle });
  openDeliveryLog(deliveryLog, { options, storage, lifecycle });
  const { store, settingsStore, health, ledger, commit } = storage;
  const lids = new LidBook({ store, onError: storage.warnRedis });
  const readiness = (): Readiness => readinessOf({ health, sources, settings });
  const http = openHttp(options, readiness);
  lifecycle.add('metrics port', http, (server) => server.close());
  const changes = storage.redis.subscriber();
  const settings: SettingsCache = new SettingsCache({
    store: settingsStore,
    subscriber: subscriberOf(changes),
    file,
    fileFaults,
    onChange: (instance) => {
      destinations.changed(instance);
      delivery.endpoints.settingsChanged(instance);
      sources.changed(instance);
    },
    onUnreadable: (count) => metrics.unreadableInstances.set(count),
    onError: throttled((error) => log.warn('settings cannot be read', describeError(error))),
    log,
  });
  const sources = new Sources({
    modules: modules.sources,
    config,
    file,
    settings,
    store: settingsStore,
    notes: (name) => keptNotes(storage.redis.commands, config.redis.prefix, name),
    log,
  });
  const copies: OrderedCopies = new OrderedCopies({
    store,
    copies: sources.secondCopies,
    isOrdered: async (id) => (await destinations.find(id))?.limits?.ordered !== undefined,
    doubtSettingsOf: (id) => {
      const instance = instanceOf(id);
      if (instance !== undefined) settings.doubt(instance);
    },
    onError: storage.warnRedis,
  });
  const onOrdered = (id: DestinationId): void => copies.note(id);
  const destinations = composeDestinations({
    ...{ options, storage, changes, settings, observer, lifecycle, onOrdered, lids },
  });
  const delivery: DeliveryParts = composeDelivery({
    ...{ options, storage, destinations, observer, lifecycle, copies },
  });
  lifecycle.add('brokers', sources, (all) => all.close());
  const retries = composeRetries(options, { storage, delivery, observer, subscriptions: changes });
  const { attempts, bulkheads } = delivery;
  const silences = new Silences({
    store,
    isListening: () => sources.states.every(({ ready }) => ready),
    log,
  });
  const { directAttempts, lanes, deduplication, relay, health: destinationHealth, healthSummary } = delivery;
  const audit = new AuditWatch(store);
  const gauges = new Gauges({
    ...{ metrics, sources, attempts, bulkheads, store },
    health: destinationHealth,
    silences: silences.store,
    redis: health,
    inspectRedis: () => inspectRedis(storage.redis.commands, config.redis),
    audit,
    flow: new FlowStore(store),
    takeReceived: () => observer.takeReceived(),
  });
  const alerting = new Alerting({
    ...{ options, storage, audit },
    health: destinationHealth,
    silences: silences.store,
  });
  return {
    ...{ storage, readiness, http, settings, destinations, sources, retries, gauges, ledger, commit },
    ...{ lifecycle, log, attempts, directAttempts, lanes, deduplication, relay, copies, silences },
    ...{ healthSummary, alerting, lids },
    health: destinationHealth,
  };
}

interface RetriesContext {
  readonly storage: Storage;
  readonly delivery: DeliveryParts;
  readonly observer: Observer;
  readonly subscriptions: Subscriptions;
}

function composeRetries({ config, log }: WorkerOptions, context: RetriesContext): Retries {
  const { storage, delivery, observer, subscriptions } = context;
  return new Retries({
    config,
    worker: storage.worker,
    subscriptions,
    store: storage.store,
    deliveries: storage.deliveries,
    attempts: delivery.attempts,
    places: delivery.places,
    bulkheadOf: (destination) => delivery.bulkheads.of(destination),
    isAlone: (id) => delivery.directAttempts.isAlone(id),
    destinationOf: (id, instance) => delivery.destinations.find(id, instance),
    addresses: delivery.destinations.addresses,
    decide: storage.decide,
    observer,
    log,
    onRedisError: storage.warnRedis,
  });
}

/** The worker's own port. */
function openHttp({ metrics, log }: WorkerOptions, readiness: () => Readiness): FastifyInstance {
  return createHttpServer({
    onRefused: (counts) => log.warn('connections refused at the metrics port', counts),
    onError: (error) => log.error('the metrics port failed', describeError(error)),
    registry: metrics.registry,
    readiness,
  });
}
