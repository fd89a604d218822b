import { LogNotes } from '../delivery-log/log-notes';
import { LogStore } from '../delivery-log/log-store';
import { LogWriter } from '../delivery-log/log-writer';
import type { Envelope } from '../events/envelope';
import type { Lifecycle } from '../lifecycle/lifecycle';
import { describeError, throttled } from '../observability/report';
import type { Storage } from './compose-storage';
import { LoggingObserver } from './logging-observer';
import { Observer } from './observer';
import type { WorkerOptions } from './worker-options';

/** What hears of everything that happens; with a writer where that is logged. */
export interface DeliveryLogParts {
  readonly observer: Observer;
  readonly writer: LogWriter | undefined;
}

/** Made before Redis is opened, as what opens it is observed, too. `heard` is called for each event. */
export function composeDeliveryLog(
  { config, metrics, log }: WorkerOptions,
  heard: (envelope: Envelope) => void,
): DeliveryLogParts {
  const { isOn, withBodies, ...limits } = config.deliveryLog;
  if (!isOn) return { observer: new Observer(metrics, log, heard), writer: undefined };
  const warnSkipped = throttled((reason) =>
    log.warn('the delivery log leaves records out', { reason: String(reason) }),
  );
  const writer = new LogWriter({
    limits,
    onSkipped: (reason, count) => {
      metrics.deliveryLogSkipped.addMany(count, reason);
      warnSkipped(reason);
    },
    onError: throttled((error) => log.warn('the delivery log cannot be written', describeError(error))),
  });
  const notes = new LogNotes({ sink: writer, slowAfterMs: config.delivery.slowAfterMs, withBodies });
  return { observer: new LoggingObserver({ metrics, log, heard, notes }), writer };
}

export interface OpenLogContext {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly lifecycle: Lifecycle;
}

/** A connection of its own: nothing else waits behind the log. */
export function openDeliveryLog(
  { writer }: DeliveryLogParts,
  { options, storage, lifecycle }: OpenLogContext,
): void {
  if (writer === undefined) return;
  writer.open(new LogStore({ redis: storage.redis.open('commands'), prefix: options.config.redis.prefix }));
  lifecycle.add('delivery log', writer, (each) => each.close());
}
