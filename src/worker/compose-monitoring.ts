import { AuditWatch } from '../ledger/audit-watch';
import { FlowStore } from '../ledger/flow-store';
import { inspectRedis } from '../redis/redis-doctor';
import { Alerting } from './alerting';
import type { DeliveryParts } from './compose-delivery';
import type { Storage } from './compose-storage';
import { Gauges } from './gauges';
import type { Sources } from './intake';
import type { Observer } from './observer';
import { Silences } from './silences';
import type { WorkerOptions } from './worker-options';

export interface MonitoringContext {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly sources: Sources;
  readonly delivery: DeliveryParts;
  readonly observer: Observer;
}

/** What tells operators how the relay is: metrics that are read, instances that fell silent, alerts. */
export interface MonitoringParts {
  readonly gauges: Gauges;
  readonly silences: Silences;
  readonly alerting: Alerting;
}

export function composeMonitoring(context: MonitoringContext): MonitoringParts {
  const { options, storage, sources, delivery } = context;
  const audit = new AuditWatch(storage.store);
  const silences = new Silences({
    store: storage.store,
    isListening: () => sources.states.every(({ ready }) => ready),
    log: options.log,
  });
  const gauges = openGauges(context, audit, silences);
  const alerting = new Alerting({
    ...{ options, storage, audit },
    health: delivery.health,
    silences: silences.store,
  });
  return { gauges, silences, alerting };
}

function openGauges(
  { options, storage, sources, delivery, observer }: MonitoringContext,
  audit: AuditWatch,
  silences: Silences,
): Gauges {
  const { config, metrics } = options;
  const { store } = storage;
  const { attempts, bulkheads, health } = delivery;
  return new Gauges({
    ...{ metrics, sources, attempts, bulkheads, health, store, audit },
    silences: silences.store,
    redis: storage.health,
    inspectRedis: () => inspectRedis(storage.redis.commands, config.redis),
    flow: new FlowStore(store),
    takeReceived: () => observer.takeReceived(),
  });
}
