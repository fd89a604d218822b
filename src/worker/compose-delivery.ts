import { RedisDeduplication } from '../deduplication/redis-deduplication';
import type { Destinations } from '../destinations/directory';
import { eventsPerRequest } from '../destinations/module';
import { EndpointWatch } from '../health/endpoint-watch';
import { HealthBoard } from '../health/health-board';
import { Rejections } from '../health/rejections';
import type { Lifecycle } from '../lifecycle/lifecycle';
import { describeError, throttled } from '../observability/report';
import { type AttemptObserver, Attempts } from '../pipeline/attempts';
import { Bulkheads, type BulkheadsOptions } from '../pipeline/bulkheads';
import type { Circuit } from '../pipeline/circuit';
import type { DestinationId, Endpoint } from '../pipeline/delivery';
import { DirectAttempts } from '../pipeline/direct-attempts';
import { Lanes } from '../pipeline/lanes';
import { Places } from '../pipeline/places';
import { Relay } from '../pipeline/relay';
import { RateLimits } from '../rates/rate-limits';
import { RedisLeases } from '../rates/redis-leases';
import type { Storage } from './compose-storage';
import { HealthLog } from './health-log';
import { HealthSummary } from './health-summary';
import type { Observer } from './observer';
import type { OrderedCopies } from './ordered-copies';
import type { WorkerOptions } from './worker-options';

export interface DeliveryContext {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly destinations: Destinations;
  readonly observer: Observer;
  readonly lifecycle: Lifecycle;
  readonly copies: OrderedCopies;
}

/** What takes a message from its source to its destinations. */
export interface DeliveryParts {
  readonly destinations: Destinations;
  readonly bulkheads: Bulkheads;
  readonly health: HealthBoard;
  readonly endpoints: EndpointWatch;
  readonly healthSummary: HealthSummary;
  readonly attempts: Attempts;
  readonly places: Places;
  readonly directAttempts: DirectAttempts;
  readonly lanes: Lanes;
  readonly deduplication: RedisDeduplication | undefined;
  readonly relay: Relay;
}

export function composeDelivery(context: DeliveryContext): DeliveryParts {
  const { storage, destinations, observer, lifecycle } = context;
  const { health, endpoints, healthSummary, rejections } = openHealth(context, (id) =>
    bulkheads.circuitOf(id),
  );
  const bulkheads: Bulkheads = openBulkheads(context, {
    shared: health,
    permitsFor: (id, rate, waiting) => rateLimits.permitsFor(id, rate, waiting),
  });
  lifecycle.add('rate limits', bulkheads, (all) => all.close());
  const mostHeld = mostHeldBy(context);
  const places = openPlaces(context, mostHeld);
  const attempts = openAttempts(context, places, {
    attemptEnded: (each, record) => {
      observer.attemptEnded(each, record);
      rejections.attemptEnded(each, record);
    },
  });
  const rateLimits = composeRateLimits(storage, attempts);
  const directAttempts = openDirectAttempts(context, { attempts, places, bulkheads });
  const lanes = new Lanes({
    ...{ directAttempts, mostHeld, clock: attempts.clock },
    store: storage.laneParking,
    onError: storage.warnRedis,
  });
  const deduplication = openDeduplication(context);
  const relay = composeRelay(context, lanes, deduplication);
  return {
    ...{ destinations, bulkheads, health, endpoints, healthSummary },
    ...{ attempts, places, directAttempts, lanes, deduplication, relay },
  };
}

function openBulkheads(
  { options, observer }: DeliveryContext,
  others: Pick<BulkheadsOptions, 'shared' | 'permitsFor'>,
): Bulkheads {
  const { modules, config } = options;
  const { concurrencyPerDestination, circuitFailures, circuitOpenMs } = config.delivery;
  return new Bulkheads({
    ...others,
    concurrency: concurrencyPerDestination,
    idleMs: () => performance.eventLoopUtilization().idle,
    circuitFailures,
    circuitOpenMs,
    perRequest: (id) => eventsPerRequest(modules.destinations, id),
    onCircuit: (id, isOpen) => observer.circuit(id, isOpen),
  });
}

/** Messages that all sources hold at once. */
function mostHeldBy({ options: { config, modules } }: DeliveryContext): number {
  return modules.sources
    .filter((source) => source.isEnabled(config))
    .reduce((sum, source) => sum + source.mostHeld(config), 0);
}

function openPlaces({ options: { config } }: DeliveryContext, maxHeld: number): Places {
  const { concurrency, maxBytesInFlight } = config.delivery;
  return new Places({ most: concurrency, maxBytes: maxBytesInFlight, maxHeld });
}

function openAttempts({ options }: DeliveryContext, places: Places, observer: AttemptObserver): Attempts {
  const { slowAfterMs } = options.config.delivery;
  return new Attempts({ slowAfterMs, places, observer, tracing: options.tracing });
}

function openDirectAttempts(
  { options, storage, destinations, observer }: DeliveryContext,
  { attempts, places, bulkheads }: Pick<DeliveryParts, 'attempts' | 'places' | 'bulkheads'>,
): DirectAttempts {
  return new DirectAttempts({
    attempts,
    places,
    parking: storage.parking,
    decide: storage.decide,
    bulkheadOf: (destination) => bulkheads.of(destination),
    maxWaitMs: options.config.delivery.slowAfterMs,
    isOnly: (id) => destinations.isOnly(id),
    onSuperseded: (newer) => observer.superseded(newer),
    onError: throttled((error) => options.log.warn('slow deliveries stay parked', describeError(error))),
  });
}

function openHealth(
  { options, storage, destinations, lifecycle }: DeliveryContext,
  circuitOf: (id: DestinationId) => Circuit | undefined,
): Pick<DeliveryParts, 'health' | 'endpoints' | 'healthSummary'> & { readonly rejections: Rejections } {
  const { config, log } = options;
  const { store, worker, warnRedis: onError } = storage;
  const endpointOf = (id: DestinationId): Promise<Endpoint | undefined> => destinations.endpointOf(id);
  const observer = new HealthLog(log);
  const rejections = new Rejections({ store, endpointOf, observer, onError });
  lifecycle.add('rejections', rejections, (each) => each.stop());
  const health: HealthBoard = new HealthBoard({
    store,
    rejections,
    openMs: config.delivery.circuitOpenMs,
    suspendAfterMs: config.retry.suspendAfterMs,
    circuitOf,
    endpointOf,
    onRead: () => endpoints.settingsChanged(undefined),
    onUnwell: (id) => endpoints.becameUnwell(id),
    observer,
    worker,
    onError,
  });
  const endpoints = new EndpointWatch({ board: health, rejections, endpointOf, onError });
  lifecycle.add('health of destinations', health, (each) => each.stop());
  const summary = new HealthSummary({ board: health, store, log, onError });
  lifecycle.add('summary of health', summary, (each) => each.stop());
  return { health, endpoints, healthSummary: summary, rejections };
}

function composeRateLimits({ store, warnRedis }: Storage, attempts: Attempts): RateLimits {
  const leases = new RedisLeases(store);
  return new RateLimits({
    leasing: (id, rate) => leases.of(id, rate),
    onFree: (id) => attempts.room.emit(id),
    onError: warnRedis,
  });
}

function openDeduplication({ options, storage, lifecycle }: DeliveryContext): RedisDeduplication | undefined {
  const { deduplicationMs: rememberMs } = options.config;
  if (rememberMs === 0) return undefined;
  const { store, warnRedis: onError } = storage;
  const deduplication = new RedisDeduplication({ store, rememberMs, onError });
  return lifecycle.add('deduplication', deduplication, (each) => each.close());
}

function composeRelay(
  { options, storage, destinations, observer, copies }: DeliveryContext,
  lanes: Lanes,
  deduplication: RedisDeduplication | undefined,
): Relay {
  const { ledger, parking } = storage;
  return new Relay({
    route: (envelope, inFlight) => {
      const routed = destinations.route(envelope);
      if (!(routed instanceof Promise)) return copies.choose(inFlight, routed);
      return routed.then((later) => copies.choose(inFlight, later));
    },
    epochs: copies.epochs,
    directAttempts: lanes,
    countDelivered: (deliveries) => ledger.countDelivered(deliveries),
    countDiscarded: (deliveries) => ledger.countDiscarded(deliveries),
    buryMalformed: (body, origin, error) => parking.buryMalformed(body, origin, error),
    observer,
    tracing: options.tracing,
    ...(deduplication === undefined ? {} : { deduplication }),
  });
}
