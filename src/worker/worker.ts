import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config';
import { RedisDeduplication } from '../deduplication/redis-deduplication';
import { instanceOf } from '../destinations/destination-ids';
import { Destinations } from '../destinations/directory';
import { createPusherParts } from '../destinations/pusher/pusher-parts';
import { eventsPerRequest, type PusherParts, Pushers } from '../destinations/pusher/pushers';
import { Webhooks } from '../destinations/webhook/webhooks';
import { WebSockets } from '../destinations/websocket/websockets';
import { ConfigError, errorCode } from '../errors';
import { Ledger } from '../ledger/ledger';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import { describeError, throttled } from '../observability/report';
import { Attempts } from '../pipeline/attempts';
import { Bulkheads } from '../pipeline/bulkheads';
import { DirectAttempts } from '../pipeline/direct-attempts';
import type { Decide } from '../pipeline/parking';
import { Relay } from '../pipeline/relay';
import { checkRedis } from '../redis/client';
import { RedisConnections } from '../redis/connections';
import { RedisHealth } from '../redis/redis-health';
import { BullMqParking } from '../retry/bullmq-parking';
import { GroupCommit } from '../retry/group-commit';
import { decide } from '../retry/policy';
import { RetryStore } from '../retry/retry-store';
import { Shares } from '../retry/shares';
import { StoredDeliveries } from '../retry/stored-deliveries';
import { warnOfClearSettings } from '../settings/clear-settings';
import { openSettingsStore } from '../settings/open-store';
import type { Settings } from '../settings/schema';
import { SettingsCache } from '../settings/settings-cache';
import type { SettingsStore } from '../settings/settings-store';
import { subscriberOf } from '../settings/settings-subscriber';
import { unreadableDetail } from '../settings/unreadables';
import { Deadline } from '../time/deadline';
import { Gauges } from './gauges';
import { Sources } from './intake';
import { createHttpServer } from './metrics-server';
import { Observer } from './observer';
import { Retries } from './retries';

export interface WorkerOptions {
  readonly config: Config;
  /** Of SETTINGS_FILE, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Time of the drain that is kept for settling, after attempts that do not end have been interrupted. */
const SETTLING_SHARE = 0.2;

/** Consumes, delivers and retries: builds the parts, starts them in order, and takes them down in reverse. */
export class RelayWorker {
  private readonly log: Logger;
  private readonly redis: RedisConnections;
  private readonly health: RedisHealth;
  private readonly store: RetryStore;
  private readonly commit: GroupCommit;
  private readonly ledger: Ledger;
  private readonly attempts: Attempts;
  private readonly directAttempts: DirectAttempts;
  private readonly deduplication: RedisDeduplication | undefined;
  private readonly relay: Relay;
  private readonly retries: Retries;
  private readonly sources: Sources;
  private readonly http: FastifyInstance;
  private readonly settingsStore: SettingsStore;
  private readonly settings: SettingsCache;
  private readonly destinations: Destinations;
  private readonly pusherParts: PusherParts;
  private readonly gauges: Gauges;
  private stopping: Promise<boolean> | undefined;

  constructor(private readonly options: WorkerOptions) {
    const { config, settings: file, metrics, log } = options;
    this.log = log;
    const observer = new Observer(metrics, log);
    const warnRedis = throttled((error) => log.warn('redis unavailable', describeError(error)));
    this.redis = new RedisConnections({ config: config.redis, onError: warnRedis });
    const { commands } = this.redis;
    const changes = this.redis.subscriber();
    const { prefix, waitReplicas: replicas } = config.redis;
    this.store = new RetryStore({
      redis: commands,
      prefix,
      replicas,
      onError: warnRedis,
      deadLetterShare: config.retry.deadLetterShare,
    });
    this.commit = new GroupCommit(this.store, warnRedis);
    this.ledger = new Ledger(this.store, this.commit);
    const decideNext: Decide = (delivery, record) =>
      decide(config.retry, delivery.destination.maxAttempts, record, Math.random());
    const deliveries = new StoredDeliveries({ store: this.store, commit: this.commit });
    const parking = new BullMqParking({
      deliveries,
      shares: new Shares({ limits: config.retry.parkedMaxBytes, instanceOf }),
      decide: decideNext,
      observer,
    });

    this.settingsStore = openSettingsStore(config, commands);
    this.settings = new SettingsCache({
      store: this.settingsStore,
      subscriber: subscriberOf(changes),
      file,
      onChange: (instance) => {
        this.destinations.changed(instance);
        this.sources.changed(instance);
      },
      onUnreadable: (count) => metrics.unreadableInstances.set(count),
      onError: throttled((error) => log.warn('settings cannot be read', describeError(error))),
      log,
    });
    this.pusherParts = createPusherParts({
      config,
      redis: commands,
      subscriber: changes,
      log,
    });
    // What WebSocket clients receive is large: nothing else waits behind it.
    const streams = this.redis.open('commands');
    this.destinations = new Destinations({
      families: [
        new Webhooks(config),
        new Pushers(config, this.pusherParts),
        new WebSockets(config, streams),
      ],
      settings: this.settings,
      parking,
    });

    const bulkheads = new Bulkheads({
      concurrency: config.delivery.concurrencyPerDestination,
      maxWaitMs: config.delivery.slowAfterMs,
      circuitFailures: config.delivery.circuitFailures,
      circuitOpenMs: config.delivery.circuitOpenMs,
      perRequest: eventsPerRequest,
      onCircuit: (id, isOpen) => observer.circuit(id, isOpen),
    });
    this.attempts = new Attempts({
      slowAfterMs: config.delivery.slowAfterMs,
      maxBytes: config.delivery.maxBytesInFlight,
      observer,
    });
    this.directAttempts = new DirectAttempts({
      attempts: this.attempts,
      parking,
      decide: decideNext,
      bulkheadOf: (id) => bulkheads.of(id),
      concurrency: config.delivery.concurrency,
      maxWaitMs: config.delivery.slowAfterMs,
      onError: (error, { id }) => log.warn('a slow delivery stays parked', { id, ...describeError(error) }),
    });
    if (config.deduplicationMs > 0) {
      this.deduplication = new RedisDeduplication({
        store: this.store,
        rememberMs: config.deduplicationMs,
        onError: warnRedis,
      });
    }
    this.relay = new Relay({
      route: (envelope) => this.destinations.route(envelope),
      directAttempts: this.directAttempts,
      countDelivered: (deliveries) => this.ledger.countDelivered(deliveries),
      countDiscarded: (deliveries) => this.ledger.countDiscarded(deliveries),
      buryMalformed: (body, origin, error) => parking.buryMalformed(body, origin, error),
      observer,
      ...(this.deduplication === undefined ? {} : { deduplication: this.deduplication }),
    });
    this.retries = new Retries({
      config,
      store: this.store,
      deliveries,
      attempts: this.attempts,
      bulkheadOf: (id) => bulkheads.of(id),
      destinationOf: (id) => this.destinations.find(id),
      addresses: this.destinations.addresses,
      decide: decideNext,
      observer,
      log,
      onRedisError: warnRedis,
    });
    this.health = new RedisHealth({
      redis: commands,
      prefix,
      log,
      counts: async () => ({ ...(await this.store.counts()), settings: await this.settingsStore.count() }),
      onStoreLost: () => metrics.storeLost.add(),
    });
    this.sources = new Sources({ config, file, settings: this.settings, store: this.settingsStore, log });
    this.gauges = new Gauges({
      metrics,
      sources: this.sources,
      attempts: this.attempts,
      bulkheads,
      store: this.store,
    });
    this.http = createHttpServer({
      onRefused: (counts) => log.warn('connections refused at the metrics port', counts),
      onError: (error) => log.error('the metrics port failed', describeError(error)),
      registry: metrics.registry,
      readiness: () => {
        const redis = this.health.state;
        const { states } = this.sources;
        return {
          ready: states.every(({ ready }) => ready) && redis.ready,
          parts: {
            ...Object.fromEntries(states.map(({ name, detail }) => [name, detail])),
            redis: redis.detail,
            ...unreadableDetail(this.settings.unreadable),
          },
        };
      },
    });
  }

  /** Resolves when everything runs or, where a broker or Redis is away, waits for it. */
  async start(): Promise<void> {
    const { metrics } = this.options.config;
    await this.http.listen({ host: metrics.host, port: metrics.port }).catch((error: unknown) => {
      const address = `${metrics.host}:${metrics.port}`;
      throw new ConfigError(
        [
          `METRICS_PORT, METRICS_HOST: ${address} cannot be listened on (${errorCode(error)}): name a free port`,
        ],
        { cause: error },
      );
    });
    this.store
      .waitUntilReady()
      .then(
        async () => {
          await checkRedis(this.redis.commands, this.log);
          await warnOfClearSettings(this.options.config, this.settingsStore, this.log);
        },
        () => {},
      )
      .catch((error: unknown) => this.log.warn('redis cannot be checked', describeError(error)));
    this.health.start();
    this.settings.start();
    this.pusherParts.occupancy?.start();
    this.retries.start();
    this.gauges.start();
    await this.sources.start((source, message) => this.relay.handle(source, message));
    this.log.info('worker started', { metrics: `http://${metrics.host}:${metrics.port}/metrics` });
  }

  /** Drains and stops; true when everything was settled before the deadline. Further calls wait for the first. */
  stop(): Promise<boolean> {
    this.stopping ??= this.drain();
    return this.stopping;
  }

  private async drain(): Promise<boolean> {
    const { shutdownTimeoutMs } = this.options.config;
    const deadline = new Deadline(shutdownTimeoutMs);
    this.log.info('draining', { deadlineMs: shutdownTimeoutMs });
    // Intake first; what waits for its turn goes back to the broker untouched.
    const intake = Promise.all([this.sources.stopIntake(), this.retries.stopIntake(), this.gauges.stop()]);
    this.directAttempts.drain();
    this.deduplication?.drain();
    this.settings.close();
    const watching = this.pusherParts.occupancy?.stop();
    const settling = shutdownTimeoutMs * SETTLING_SHARE;
    await deadline.finishesInTime(intake, settling);
    const isDone = Promise.all([this.relay.idle(), this.attempts.idle(), this.directAttempts.idle()]);
    if (!(await deadline.finishesInTime(isDone, settling))) {
      this.log.warn('interrupting attempts', {
        attempts: this.attempts.count,
        messages: this.relay.openMessages,
      });
      this.attempts.interrupt();
    }
    const retriesClosed = this.retries.close();
    const settled = await deadline.finishesInTime(
      Promise.all([isDone, retriesClosed, this.ledger.flush()]),
      settling / 2,
    );
    // What could not be stored by now goes back to the broker.
    this.commit.close();
    await deadline.finishesInTime(this.relay.idle());
    await deadline.finishesInTime(this.sources.close());
    await deadline.finishesInTime(Promise.resolve(this.deduplication?.close()));
    await deadline.finishesInTime(
      Promise.all([this.store.close(), this.destinations.close(), this.http.close()]),
    );
    if (watching !== undefined) await deadline.finishesInTime(watching);
    await deadline.finishesInTime(this.health.stop());
    this.redis.close();
    const left = this.relay.openMessages;
    this.log.info('worker stopped', { settled, messagesLeftToTheBroker: left });
    return settled && left === 0;
  }
}
