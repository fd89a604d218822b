import type { Destinations } from '../destinations/directory';
import { LidBook } from '../lids/lid-book';
import { Lifecycle } from '../lifecycle/lifecycle';
import type { Readiness } from '../observability/health-routes';
import { describeError } from '../observability/report';
import type { DestinationId } from '../pipeline/delivery';
import type { Subscriptions } from '../redis/subscriber';
import { composeDelivery, type DeliveryParts } from './compose-delivery';
import { composeDeliveryLog, openDeliveryLog } from './compose-delivery-log';
import { composeDestinations } from './compose-destinations';
import { composeIntake, type IntakeParts } from './compose-intake';
import { composeMonitoring, type MonitoringParts } from './compose-monitoring';
import { composeStorage, type Storage } from './compose-storage';
import type { DrainParts } from './drain';
import { MetricsPort } from './metrics-port';
import type { Observer } from './observer';
import { readinessOf } from './readiness';
import { Retries } from './retries';
import type { WorkerOptions } from './worker-options';

/** What a worker starts, and what its drain ends. */
export type WorkerParts = DrainParts &
  DeliveryParts &
  IntakeParts &
  MonitoringParts & {
    readonly storage: Storage;
    /** Asked at any moment. */
    readonly readiness: () => Readiness;
    readonly metricsPort: MetricsPort;
    readonly lids: LidBook;
    readonly retries: Retries;
  };

/**
 * Makes every part of a worker; nothing runs yet. The lifecycle releases in reverse: brokers are closed before what
 * their messages go through, Redis last.
 */
export function composeWorker(options: WorkerOptions): WorkerParts {
  const { metrics, tracing, log } = options;
  const lifecycle = new Lifecycle();
  if (tracing !== undefined) lifecycle.add('traces', tracing, (each) => each.close());
  const deliveryLog = composeDeliveryLog(options, (envelope) => {
    monitoring.silences.note(envelope);
    lids.heard(envelope);
  });
  const { observer } = deliveryLog;
  const onStoreLost = (): void => {
    metrics.storeLost.add();
    delivery.health.readAnew();
  };
  const storage = composeStorage({ options, observer, onStoreLost, lifecycle });
  openDeliveryLog(deliveryLog, { options, storage, lifecycle });
  const { store, health: redisHealth, warnRedis: onError } = storage;
  const lids = new LidBook({ store, onError });
  const readiness = (): Readiness => readinessOf({ health: redisHealth, sources, settings });
  const metricsPort = composeMetricsPort(options, readiness);
  lifecycle.add('metrics port', metricsPort, (port) => port.close());
  const changes = storage.redis.subscriber();
  const intake = composeIntake({
    ...{ options, storage, changes },
    onChange: (instance) => {
      destinations.changed(instance);
      delivery.endpoints.settingsChanged(instance);
    },
    isOrdered: async (id) => (await destinations.find(id))?.limits?.ordered !== undefined,
  });
  const { settings, sources, copies } = intake;
  const onOrdered = (id: DestinationId): void => copies.note(id);
  const destinations: Destinations = composeDestinations({
    ...{ options, storage, changes, settings, observer, lifecycle, onOrdered, lids },
  });
  const delivery: DeliveryParts = composeDelivery({
    ...{ options, storage, destinations, observer, lifecycle, copies },
  });
  lifecycle.add('brokers', sources, (all) => all.close());
  const retries = composeRetries(options, { storage, delivery, observer, subscriptions: changes });
  const monitoring = composeMonitoring({ options, storage, sources, delivery, observer });
  const { ledger, commit } = storage;
  return {
    ...delivery,
    ...intake,
    ...monitoring,
    ...{ storage, ledger, commit, readiness, metricsPort, lids, retries, lifecycle, log },
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
    freshAt: () => delivery.directAttempts.lastAt,
    destinationOf: (id, instance) => delivery.destinations.find(id, instance),
    addresses: delivery.destinations.addresses,
    onAddressesAgree: (id) => delivery.endpoints.othersAgree(id),
    decide: storage.decide,
    observer,
    log,
    onRedisError: storage.warnRedis,
  });
}

function composeMetricsPort({ metrics, log }: WorkerOptions, readiness: () => Readiness): MetricsPort {
  return new MetricsPort({
    onRefused: (counts) => log.warn('connections refused at the metrics port', counts),
    onError: (error) => log.error('the metrics port failed', describeError(error)),
    registry: metrics.registry,
    readiness,
  });
}
