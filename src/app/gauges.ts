import type { Metrics } from '../observability/metrics';
import type { Attempts } from '../pipeline/attempts';
import type { Bulkheads } from '../pipeline/bulkheads';
import type { RetryStore } from '../retry/store';
import type { RabbitMqSource } from '../sources/rabbitmq/source';

export interface GaugeParts {
  readonly metrics: Metrics;
  readonly source: RabbitMqSource;
  readonly attempts: Attempts;
  readonly bulkheads: Bulkheads;
  readonly store: RetryStore;
}

const INTERVAL_MS = 5000;

/** Reads what cannot be counted as it happens: depths of queues, and what is in flight. */
export class Gauges {
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: GaugeParts) {}

  start(): void {
    this.timer ??= setInterval(() => {
      this.reading = Promise.allSettled([this.readSource(), this.readStore()]);
      this.readProcess();
    }, INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.reading;
  }

  private readProcess(): void {
    const { metrics, source, attempts, bulkheads } = this.parts;
    metrics.inFlight.set({ what: 'messages' }, source.held.messages);
    metrics.inFlight.set({ what: 'attempts' }, attempts.count);
    metrics.inFlightBytes.set(source.held.bytes);
    metrics.circuitsOpen.set(bulkheads.circuitsOpen);
  }

  private async readSource(): Promise<void> {
    const { metrics, source } = this.parts;
    for (const { queue, messages, consumers } of await source.depths()) {
      metrics.queueDepth.set({ queue }, messages);
      metrics.queueConsumers.set({ queue }, consumers);
    }
  }

  private async readStore(): Promise<void> {
    const { metrics, store } = this.parts;
    const counts = await store.queue.getJobCounts('wait', 'active', 'delayed', 'prioritized', 'failed');
    for (const [state, count] of Object.entries(counts)) {
      if (state === 'failed') metrics.deadLetterDepth.set(count);
      else metrics.retryDepth.set({ queue: store.queueName, state }, count);
    }
    metrics.retryOldest.set(await store.oldestAgeSeconds(Date.now()));
  }
}
