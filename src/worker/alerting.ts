import { AlertReadings } from '../alerts/alert-readings';
import { AlertSender } from '../alerts/alert-sender';
import { AlertStore } from '../alerts/alert-store';
import { AlertWatch } from '../alerts/alert-watch';
import type { HealthBoard } from '../health/health-board';
import type { AuditWatch } from '../ledger/audit-watch';
import { describeError, throttled } from '../observability/report';
import type { Outcome } from '../pipeline/delivery';
import { inspectRedis } from '../redis/redis-doctor';
import type { SilenceStore } from '../silence/silence-store';
import type { Storage } from './compose-storage';
import type { WorkerOptions } from './worker-options';

export interface AlertingParts {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly health: Pick<HealthBoard, 'isRead' | 'records'>;
  readonly silences: Pick<SilenceStore, 'silentOnes'>;
  readonly audit: AuditWatch;
}

/** Everything that a worker does to alert the operator; nothing where no address is configured. */
export class Alerting {
  private readonly sender: AlertSender | undefined;
  private readonly watch: AlertWatch | undefined;

  constructor(parts: AlertingParts) {
    const { url } = parts.options.config.alerts;
    if (url === undefined) return;
    this.sender = openSender(parts, url);
    this.watch = openWatch(parts, this.sender);
  }

  start(): void {
    this.watch?.start();
  }

  async stop(): Promise<void> {
    await this.watch?.stop();
    await this.sender?.close();
  }
}

function openSender({ options: { config, log } }: AlertingParts, url: string): AlertSender {
  return new AlertSender({
    config,
    url,
    onRetry: (outcome, delayMs) =>
      log.warn('an alert did not arrive: it is sent again', { ...faultOf(outcome), delayMs }),
  });
}

function openWatch(
  { options, storage, health, silences, audit }: AlertingParts,
  sender: AlertSender,
): AlertWatch {
  const { config, metrics, log } = options;
  const { store, redis } = storage;
  const onError = throttled((error) => log.warn('alerts cannot be made', describeError(error)));
  const readings = new AlertReadings({
    records: () => (health.isRead ? health.records : undefined),
    silentOnes: () => silences.silentOnes(),
    oldestSeconds: () => store.oldestAgeSeconds(),
    inspectRedis: () => inspectRedis(redis.commands, config.redis),
    audit,
    backlogMs: config.alerts.backlogMs,
    onError,
  });
  return new AlertWatch({
    store: new AlertStore(store),
    readings,
    relay: config.redis.prefix,
    intervalMs: config.alerts.intervalMs,
    saysAway: options.supervised === undefined || options.supervised === 1,
    send: (id, message, signal) => sender.send(id, message, signal),
    redisDetail: () => storage.health.state.detail,
    onSent: (cause) => {
      metrics.alerts.add(cause);
      log.info('alert sent', { cause });
    },
    onFailed: (cause, outcome) =>
      log.error('an alert did not arrive: its cause is reported again after the interval', {
        cause,
        ...faultOf(outcome),
      }),
    onError,
  });
}

function faultOf(outcome: Outcome): Record<string, unknown> {
  return {
    ...('code' in outcome ? { code: outcome.code } : {}),
    ...('status' in outcome ? { status: outcome.status } : {}),
    ...('answer' in outcome ? { answer: outcome.answer } : {}),
  };
}
