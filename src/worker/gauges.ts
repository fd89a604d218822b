import type { HealthBoard } from '../health/health-board';
import type { AuditWatch } from '../ledger/audit-watch';
import type { FlowStore } from '../ledger/flow-store';
import type { Finding } from '../observability/finding';
import type { Metrics } from '../observability/metrics';
import type { Attempts } from '../pipeline/attempts';
import type { Bulkheads } from '../pipeline/bulkheads';
import type { RedisHealth } from '../redis/redis-health';
import type { RetryStore } from '../retry/retry-store';
import type { SilenceStore } from '../silence/silence-store';
import type { Sources } from './intake';

export interface GaugeParts {
  readonly metrics: Metrics;
  readonly sources: Sources;
  readonly attempts: Attempts;
  readonly bulkheads: Bulkheads;
  readonly health: Pick<HealthBoard, 'counts'>;
  readonly store: RetryStore;
  readonly silences: Pick<SilenceStore, 'silentCount'>;
  readonly redis: Pick<RedisHealth, 'state'>;
  /** What the doctor finds of Redis. */
  readonly inspectRedis: () => Promise<readonly Finding[]>;
  readonly audit: Pick<AuditWatch, 'found'>;
  /** For people at a gateway, who see no worker's metrics. */
  readonly flow: Pick<FlowStore, 'report'>;
  /** Events since the last call. */
  readonly takeReceived: () => number;
}

const INTERVAL_MS = 5000;
/** Of these intervals, for what costs more to read and seldom changes: once a minute. */
const SELDOM = 12;

/** Reads what cannot be counted as it happens: depths of queues, and what is in flight. */
export class Gauges {
  private timer: NodeJS.Timeout | undefined;
  /** Readings under way, by what is read. */
  private readonly reading = new Map<string, Promise<unknown>>();
  private intervals = 0;
  /** Events that could not be reported yet. */
  private unreported = 0;

  constructor(private readonly parts: GaugeParts) {}

  start(): void {
    this.timer ??= setInterval(() => {
      this.readAlone('sources', () => this.readSources());
      this.readAlone('store', () => this.readStore());
      this.readProcess();
      if (this.intervals++ % SELDOM === 0) {
        this.readAlone('risks', () => this.readRisks());
        this.readAlone('audit', () => this.readAudit());
      }
    }, INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.reading.values());
  }

  /** One reading at a time: another one would forget what this one sets. */
  private readAlone(what: string, read: () => Promise<void>): void {
    if (this.reading.has(what)) return;
    // What cannot be read is shown as it was last.
    const done = (): void => void this.reading.delete(what);
    this.reading.set(what, read().then(done, done));
  }

  private readProcess(): void {
    const { metrics, sources, attempts, bulkheads, health, redis } = this.parts;
    metrics.redisAtRisk.set({ check: 'answers' }, redis.state.ready ? 0 : 1);
    const { messages, bytes } = sources.held;
    metrics.inFlight.set({ what: 'messages' }, messages);
    metrics.inFlight.set({ what: 'attempts' }, attempts.count);
    metrics.inFlightBytes.set(bytes);
    metrics.circuitsOpen.set(bulkheads.circuitsOpen);
    for (const [state, count] of Object.entries(health.counts)) metrics.destinations.set({ state }, count);
  }

  private async readSources(): Promise<void> {
    const { metrics, sources, flow, takeReceived } = this.parts;
    const depths = await sources.depths();
    // Queues come and go: one that is gone is not shown as it was last.
    for (const gauge of [
      metrics.queueDepth,
      metrics.queueConsumers,
      metrics.queueInFlight,
      metrics.queueOldest,
    ]) {
      gauge.reset();
    }
    for (const { queue, messages, consumers, inFlight, oldestSeconds } of depths) {
      // Both brokers may have a queue of this name, and both have instances.
      metrics.queueDepth.inc({ queue }, messages);
      if (consumers !== undefined) metrics.queueConsumers.set({ queue }, consumers);
      if (inFlight !== undefined) metrics.queueInFlight.set({ queue }, inFlight);
      if (oldestSeconds !== undefined) metrics.queueOldest.set({ queue }, oldestSeconds);
    }
    const received = this.unreported + takeReceived();
    this.unreported = 0;
    // Where the answer is lost it may have been counted: then it is not reported again.
    if (!(await flow.report(received, depths))) this.unreported = received;
  }

  private async readStore(): Promise<void> {
    const { metrics, store, silences } = this.parts;
    const counts = await store.queue.getJobCounts('wait', 'active', 'delayed', 'prioritized', 'failed');
    for (const [state, count] of Object.entries(counts)) {
      if (state === 'failed') metrics.deadLetterDepth.set(count);
      else metrics.retryDepth.set({ queue: store.queueName, state }, count);
    }
    metrics.retriesDue.set(await store.dueCount());
    metrics.retryOldest.set(await store.oldestAgeSeconds());
    metrics.silentInstances.set(await silences.silentCount());
    const lanes = await store.lanes();
    metrics.lanesWaiting.set(lanes.waiting);
    metrics.retryDepth.set({ queue: store.queueName, state: 'lane' }, lanes.deliveriesBehind);
  }

  private async readRisks(): Promise<void> {
    const { metrics, inspectRedis } = this.parts;
    for (const { check, state } of await inspectRedis())
      metrics.redisAtRisk.set({ check }, state === 'trouble' ? 1 : 0);
  }

  private async readAudit(): Promise<void> {
    const found = await this.parts.audit.found();
    if (found !== undefined) this.parts.metrics.auditDifference.set(found.difference);
  }
}
