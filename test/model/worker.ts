import { instanceId, instanceOf } from '../../src/destinations/destination-ids';
import { Destinations } from '../../src/destinations/directory';
import { webhookSection } from '../../src/destinations/webhook/webhook-section';
import { filterKey } from '../../src/events/catalogue';
import { Ledger } from '../../src/ledger/ledger';
import { SILENT } from '../../src/observability/logging';
import { Attempts } from '../../src/pipeline/attempts';
import { Bulkheads } from '../../src/pipeline/bulkheads';
import { type Destination, type DestinationId, destinationKey } from '../../src/pipeline/delivery';
import { DirectAttempts } from '../../src/pipeline/direct-attempts';
import type { Decide } from '../../src/pipeline/parking';
import { Places } from '../../src/pipeline/places';
import { Relay } from '../../src/pipeline/relay';
import type { Subscription } from '../../src/pipeline/route';
import { BullMqParking } from '../../src/retry/bullmq-parking';
import { GroupCommit } from '../../src/retry/group-commit';
import { Lines } from '../../src/retry/lines';
import { decide } from '../../src/retry/policy';
import { RetryHandler } from '../../src/retry/retry-handler';
import { RetryUpkeep } from '../../src/retry/retry-upkeep';
import { RetryWorker } from '../../src/retry/retry-worker';
import { Shares } from '../../src/retry/shares';
import { StoredDeliveries } from '../../src/retry/stored-deliveries';
import type { Settings } from '../../src/settings/section';
import { SettingsCache } from '../../src/settings/settings-cache';
import { Deadline } from '../../src/time/deadline';
import { MemorySource } from './broker';
import { Gauge } from './gauge';
import { LIMITS } from './limits';
import { MemoryQueue } from './memory-queue';
import { Process } from './process';
import { ModelDestination } from './receivers';
import { MemoryStore } from './redis';
import type { World } from './world';

const ignore = (): void => {};
const OBSERVER = {
  received: ignore,
  malformed: ignore,
  duplicate: ignore,
  settled: ignore,
  filtered: ignore,
  unwanted: ignore,
  attemptEnded: ignore,
  parked: ignore,
  superseded: ignore,
  deadLettered: ignore,
  recordMissing: ignore,
  settingsUnreadable: ignore,
};

/** The relay's own parts, put together as src/worker/worker.ts does, in one process of the model. */
export class ModelWorker {
  readonly process: Process;
  readonly gauge = new Gauge();
  readonly relay: Relay;
  private readonly commit: GroupCommit;
  private readonly ledger: Ledger;
  readonly attempts: Attempts;
  private readonly directAttempts: DirectAttempts;
  private readonly settings: SettingsCache;
  private readonly retries: RetryWorker;
  private readonly upkeep: RetryUpkeep;
  private readonly source: MemorySource;

  /** @param consumes false: it makes retries only */
  constructor(
    private readonly world: World,
    name: string,
    private readonly consumes: boolean,
  ) {
    const process = new Process(name, world.time);
    this.process = process;
    const store = new MemoryStore(world.redis, process);
    this.commit = new GroupCommit(store, ignore);
    this.ledger = new Ledger(store, this.commit);
    const decideNext: Decide = ({ destination }, record) =>
      decide(LIMITS.policy, destination.maxAttempts, record, Math.random());
    const deliveries = new StoredDeliveries({ store, commit: this.commit });
    const shares = new Shares({ limits: { perInstance: 0, perGlobalDestination: 0 }, instanceOf });
    const parking = new BullMqParking({ deliveries, shares, decide: decideNext, observer: OBSERVER });
    this.settings = new SettingsCache({
      store: world.settings.storeOf(process),
      subscriber: world.settings.subscriberOf(process),
      file: new Map(),
      onChange: (instance) => destinations.changed(instance),
      onError: ignore,
      log: SILENT,
    });
    const destinations = new Destinations({
      families: [
        {
          globals: [this.global()],
          own: (instance, settings) => this.own(instance, settings),
          close: async () => {},
        },
      ],
      settings: this.settings,
      parking,
      countFiltered: (filtered) => this.ledger.countDiscarded(filtered),
      maxShare: 1,
    });
    const bulkheads = new Bulkheads({
      concurrency: LIMITS.perDestination,
      circuitFailures: LIMITS.circuitFailures,
      circuitOpenMs: LIMITS.circuitOpenMs,
      onCircuit: ignore,
    });
    const places = new Places({
      most: LIMITS.concurrency,
      maxBytes: LIMITS.maxBytes,
      maxHeld: LIMITS.prefetch,
    });
    this.attempts = new Attempts({
      slowAfterMs: LIMITS.slowAfterMs,
      places,
      observer: OBSERVER,
    });
    const bulkheadOf = bulkheads.of.bind(bulkheads);
    this.directAttempts = new DirectAttempts({
      attempts: this.attempts,
      parking,
      decide: decideNext,
      bulkheadOf,
      places,
      maxWaitMs: LIMITS.slowAfterMs,
      onSuperseded: ignore,
      onError: ignore,
    });
    this.relay = new Relay({
      route: (envelope) => destinations.route(envelope),
      directAttempts: this.directAttempts,
      countDelivered: (delivered) => this.ledger.countDelivered(delivered),
      countDiscarded: (discarded) => this.ledger.countDiscarded(discarded),
      buryMalformed: (body, origin, error) => parking.buryMalformed(body, origin, error),
      observer: OBSERVER,
    });
    const handler = new RetryHandler({
      isAlone: () => false,
      deliveries,
      places,
      attempts: this.attempts,
      bulkheadOf,
      destinationOf: (id, instance) => destinations.find(id, instance),
      decide: decideNext,
      observer: OBSERVER,
      onError: ignore,
    });
    this.retries = new RetryWorker({
      store,
      queue: new MemoryQueue(name, store),
      lines: new Lines({ roomOf: (id) => handler.roomOf(id), places: LIMITS.retries }),
      handler,
      concurrency: LIMITS.retries,
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
    this.upkeep = new RetryUpkeep({ store, parkedMaxAgeMs: 0, orderedMaxAgeMs: 3_600_000, ...quiet });
    this.source = new MemorySource({
      broker: world.broker,
      process,
      prefetch: LIMITS.prefetch,
      onMessage: (message) => {
        this.relay.handle('rabbitmq', message);
        this.gauge.messages(this.relay.openMessages);
      },
    });
  }

  start(): void {
    this.process.run(() => {
      this.settings.start();
      this.retries.start();
      this.upkeep.start();
      if (this.consumes) this.source.start();
    });
  }

  /** SIGTERM: as src/worker/worker.ts drains. */
  drain(): Promise<void> {
    return this.process.run(async () => {
      const deadline = new Deadline(LIMITS.shutdownMs);
      const settling = LIMITS.shutdownMs * 0.2;
      this.source.stopIntake();
      const intake = Promise.all([this.retries.stopIntake(), this.upkeep.stop()]);
      this.directAttempts.drain();
      this.settings.close();
      await deadline.finishesInTime(intake, settling);
      const isDone = Promise.all([this.relay.idle(), this.attempts.idle(), this.directAttempts.idle()]);
      if (!(await deadline.finishesInTime(isDone, settling))) this.attempts.interrupt();
      const retriesClosed = this.retries.close();
      await deadline.finishesInTime(Promise.all([isDone, retriesClosed, this.ledger.flush()]), settling / 2);
      this.commit.close();
      await deadline.finishesInTime(this.relay.idle());
      await deadline.finishesInTime(this.source.close());
      this.process.die();
    });
  }

  private global(): Subscription {
    return this.subscription(this.world.global, new Set([filterKey('messages.upsert')]));
  }

  private own(instance: string, settings: Settings): Subscription[] {
    return webhookSection
      .all(settings)
      .map(({ slot }) => this.subscription(instanceId('webhook', instance, slot.name), 'all'));
  }

  private subscription(id: DestinationId, events: Subscription['events']): Subscription {
    const receiver = this.world.receiverOf(id);
    const { process, gauge } = this;
    const destination: Destination = new ModelDestination({
      receiver,
      process,
      gauge,
      time: this.world.time,
    });
    return { destination, key: destinationKey(id), events };
  }
}
