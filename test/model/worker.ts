import { instanceOf } from '../../src/destinations/destination-ids';
import { Destinations } from '../../src/destinations/directory';
import { EndpointWatch } from '../../src/health/endpoint-watch';
import { HealthBoard } from '../../src/health/health-board';
import { Rejections } from '../../src/health/rejections';
import { SILENT } from '../../src/observability/logging';
import { Attempts } from '../../src/pipeline/attempts';
import { Bulkheads } from '../../src/pipeline/bulkheads';
import type { Delivery, DestinationId, Endpoint } from '../../src/pipeline/delivery';
import { DirectAttempts } from '../../src/pipeline/direct-attempts';
import { Lanes } from '../../src/pipeline/lanes';
import { Relay } from '../../src/pipeline/relay';
import { LineRooms } from '../../src/retry/line-rooms';
import { Lines } from '../../src/retry/lines';
import { Presence } from '../../src/retry/presence';
import { RetryHandler } from '../../src/retry/retry-handler';
import { RetryUpkeep } from '../../src/retry/retry-upkeep';
import { RetryWorker } from '../../src/retry/retry-worker';
import { SettingsCache } from '../../src/settings/settings-cache';
import { Deadline } from '../../src/time/deadline';
import { OrderedCopies } from '../../src/worker/ordered-copies';
import { Gauge } from './gauge';
import { LIMITS } from './limits';
import { MemoryQueue } from './memory-queue';
import { ModelFamily } from './model-family';
import { ModelIntake } from './model-intake';
import { ModelStorage, OBSERVER } from './model-storage';
import { Process } from './process';
import { WatchedPlaces } from './watched-places';
import type { World } from './world';

const ignore = (): void => {};

/** The relay's own parts, put together as src/worker/worker.ts does, in one process of the model. */
export class ModelWorker {
  readonly process: Process;
  readonly gauge = new Gauge();
  readonly relay: Relay;
  private readonly storage: ModelStorage;
  readonly attempts: Attempts;
  private readonly directAttempts: DirectAttempts;
  private readonly settings: SettingsCache;
  private readonly retries: RetryWorker;
  private readonly upkeep: RetryUpkeep;
  private readonly presence: Presence;
  readonly places: WatchedPlaces;
  readonly health: HealthBoard;
  private readonly endpoints: EndpointWatch;
  private readonly lanes: Lanes;
  private readonly copies: OrderedCopies;
  private readonly intake: ModelIntake;

  constructor(world: World, name: string) {
    const process = new Process(name, world.time);
    this.process = process;
    this.storage = new ModelStorage(world.redis, process);
    const { store, deliveries, parking, decide, ledger } = this.storage;
    this.settings = new SettingsCache({
      store: world.settings.storeOf(process),
      subscriber: world.settings.subscriberOf(process),
      file: new Map(),
      onChange: (instance) => {
        destinations.changed(instance);
        this.endpoints.settingsChanged(instance);
      },
      onError: ignore,
      log: SILENT,
    });
    const destinations = new Destinations({
      families: [new ModelFamily({ world, process, gauge: this.gauge })],
      settings: this.settings,
      parking,
      countFiltered: (filtered) => ledger.countDiscarded(filtered),
      maxShare: LIMITS.maxShare,
      onOrdered: (id) => this.copies.note(id),
    });
    this.copies = new OrderedCopies({
      store,
      copies: {
        want: ignore,
        isBound: true,
        returned: 0,
        isHoldingBack: false,
        mark: ignore,
        listen: ignore,
      },
      isOrdered: async (id) => (await destinations.find(id))?.limits?.ordered !== undefined,
      doubtSettingsOf: (id) => {
        const instance = instanceOf(id);
        if (instance !== undefined) this.settings.doubt(instance);
      },
      onError: ignore,
    });
    const endpointOf = (id: DestinationId): Promise<Endpoint | undefined> => destinations.endpointOf(id);
    const rejections = new Rejections({
      store,
      endpointOf,
      observer: { rejecting: ignore, rejectingOver: ignore },
      onError: ignore,
    });
    this.health = new HealthBoard({
      store,
      rejections,
      openMs: LIMITS.circuitOpenMs,
      suspendAfterMs: LIMITS.suspendAfterMs,
      circuitOf: (id) => bulkheads.circuitOf(id),
      endpointOf,
      onRead: () => this.endpoints.settingsChanged(undefined),
      onUnwell: (id) => this.endpoints.becameUnwell(id),
      observer: { failing: ignore, suspended: ignore, recovered: ignore },
      worker: name,
      onError: ignore,
    });
    this.endpoints = new EndpointWatch({
      board: this.health,
      rejections,
      endpointOf,
      onError: ignore,
    });
    const bulkheads: Bulkheads = new Bulkheads({
      concurrency: LIMITS.perDestination,
      circuitFailures: LIMITS.circuitFailures,
      circuitOpenMs: LIMITS.circuitOpenMs,
      onCircuit: ignore,
      shared: this.health,
    });
    this.places = new WatchedPlaces({
      most: LIMITS.concurrency,
      maxBytes: LIMITS.maxBytes,
      maxHeld: LIMITS.prefetch,
    });
    this.attempts = new Attempts({
      slowAfterMs: LIMITS.slowAfterMs,
      places: this.places,
      observer: rejections,
    });
    const bulkheadOf = bulkheads.of.bind(bulkheads);
    this.directAttempts = new DirectAttempts({
      attempts: this.attempts,
      parking: {
        park: (request) => {
          if (request.reason === 'saturated') this.saturated(request.delivery, bulkheads);
          return parking.park(request);
        },
        delivered: (delivery) => parking.delivered(delivery),
        failed: (delivery, record) => parking.failed(delivery, record),
      },
      decide,
      bulkheadOf,
      places: this.places,
      maxWaitMs: LIMITS.slowAfterMs,
      onSuperseded: ignore,
      onError: ignore,
    });
    this.lanes = new Lanes({
      directAttempts: this.directAttempts,
      clock: this.attempts.clock,
      mostHeld: LIMITS.prefetch,
      store: this.storage.laneParking,
      onError: ignore,
    });
    this.relay = new Relay({
      route: (envelope, inFlight) => {
        const routed = destinations.route(envelope);
        if (!(routed instanceof Promise)) return this.copies.choose(inFlight, routed);
        return routed.then((later) => this.copies.choose(inFlight, later));
      },
      epochs: this.copies.epochs,
      directAttempts: this.lanes,
      countDelivered: (delivered) => ledger.countDelivered(delivered),
      countDiscarded: (discarded) => ledger.countDiscarded(discarded),
      buryMalformed: (body, origin, error) => parking.buryMalformed(body, origin, error),
      observer: OBSERVER,
    });
    const handler = new RetryHandler({
      isAlone: (id) => this.directAttempts.isAlone(id),
      deliveries,
      places: this.places,
      attempts: this.attempts,
      bulkheadOf,
      destinationOf: (id, instance) => destinations.find(id, instance),
      decide,
      observer: OBSERVER,
      onError: ignore,
    });
    const rooms = new LineRooms({
      isAlone: (id) => this.directAttempts.isAlone(id),
      places: this.places,
      attempts: this.attempts,
      bulkheadOf,
      destinationOf: (id) => destinations.find(id),
    });
    this.retries = new RetryWorker({
      store,
      queue: new MemoryQueue(name, store),
      lines: new Lines({ roomOf: (id, bytes) => rooms.roomOf(id, bytes) }),
      handler,
      concurrency: LIMITS.retries,
      freshAt: () => this.directAttempts.lastAt,
      maxBytes: LIMITS.maxRetryBytes,
      onError: ignore,
    });
    const quiet = {
      onExpired: ignore,
      onForward: ignore,
      onMended: ignore,
      onUncounted: ignore,
      onError: ignore,
    };
    this.upkeep = new RetryUpkeep({
      store,
      parkedMaxAgeMs: 0,
      orderedMaxAgeMs: LIMITS.orderedMaxAgeMs,
      ...quiet,
    });
    this.presence = new Presence({
      store,
      subscriptions: { subscribe: async () => undefined },
      worker: name,
      onFreed: ignore,
      onError: ignore,
    });
    const { relay, copies, gauge } = this;
    const isAlone = (): boolean => !world.hadSecond;
    this.intake = new ModelIntake({ broker: world.broker, process, relay, copies, gauge, isAlone });
  }

  private saturated(delivery: Delivery, bulkheads: Bulkheads): void {
    const { hasRoom, circuit, waiting } = bulkheads.of(delivery.destination);
    this.places.parked(delivery, hasRoom && !circuit.isOpen, waiting);
  }

  start(): void {
    this.process.run(() => {
      this.settings.start();
      this.presence.start();
      this.retries.start();
      this.upkeep.start();
      this.copies.start();
      this.health.start();
      this.intake.start();
    });
  }

  /** SIGTERM: as src/worker/worker.ts drains. */
  drain(): Promise<void> {
    return this.process.run(async () => {
      const deadline = new Deadline(LIMITS.shutdownMs);
      const settling = LIMITS.shutdownMs * 0.2;
      this.intake.stop();
      const stopped = Promise.all([this.retries.stopIntake(), this.upkeep.stop(), this.copies.stop()]);
      this.lanes.drain();
      this.directAttempts.drain();
      this.settings.close();
      await deadline.finishesInTime(stopped, settling);
      const isDone = Promise.all([this.relay.idle(), this.attempts.idle(), this.directAttempts.idle()]);
      if (!(await deadline.finishesInTime(isDone, settling))) this.attempts.interrupt();
      const retriesClosed = this.retries.close();
      await deadline.finishesInTime(
        Promise.all([isDone, retriesClosed, this.storage.ledger.flush()]),
        settling / 2,
      );
      this.storage.commit.close();
      await deadline.finishesInTime(this.relay.idle());
      await deadline.finishesInTime(this.presence.stop());
      await deadline.finishesInTime(this.health.stop());
      await deadline.finishesInTime(this.intake.close());
      this.process.die();
    });
  }
}
