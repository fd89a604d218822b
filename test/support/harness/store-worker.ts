import { Attempts } from '../../../src/pipeline/attempts';
import { Bulkheads } from '../../../src/pipeline/bulkheads';
import type { Destination, DestinationId } from '../../../src/pipeline/delivery';
import type { Permits } from '../../../src/pipeline/permits';
import { Places } from '../../../src/pipeline/places';
import type { AddressRoster } from '../../../src/retry/address-roster';
import { LineRooms } from '../../../src/retry/line-rooms';
import { Lines } from '../../../src/retry/lines';
import { RetryHandler } from '../../../src/retry/retry-handler';
import { RetryWorker } from '../../../src/retry/retry-worker';
import type { StoreHarness } from './store-harness';

export interface WorkerSettings {
  readonly destinations?: readonly Destination[];
  readonly destinationOf?: (id: DestinationId) => Promise<Destination | undefined>;
  readonly circuitFailures?: number;
  readonly maxBytes?: number;
  readonly slowAfterMs?: number;
  readonly concurrency?: number;
  /** Of destinations with a rate limit. */
  readonly permitsFor?: (onFree: () => void) => Permits;
  /** Where it is left out, all workers have the same addresses. */
  readonly addresses?: AddressRoster;
}

/** What takes from a store what is due, and reports to its harness. */
export function storeWorker(harness: StoreHarness, settings: WorkerSettings): RetryWorker {
  const destinations = new Map(
    (settings.destinations ?? []).map((destination) => [destination.id, destination]),
  );
  const { permitsFor } = settings;
  const bulkheads = new Bulkheads({
    ...(permitsFor && { permitsFor: (id) => permitsFor(() => attempts.room.emit(id)) }),
    concurrency: 32,
    circuitFailures: settings.circuitFailures ?? 1000,
    circuitOpenMs: 3_600_000,
    onCircuit: () => {},
  });
  const maxBytes = settings.maxBytes ?? 1e9;
  const places = new Places({ most: 1000, maxBytes, maxHeld: 1000 });
  const attempts = new Attempts({
    slowAfterMs: settings.slowAfterMs ?? 60_000,
    places,
    observer: { attemptEnded: (_delivery, record) => harness.records.add(record) },
  });
  const common = {
    ...{ places, attempts },
    isAlone: () => false,
    bulkheadOf: (destination: Destination) => bulkheads.of(destination),
    destinationOf: settings.destinationOf ?? (async (id: DestinationId) => destinations.get(id)),
  };
  const handler = new RetryHandler({
    ...common,
    deliveries: harness.deliveries,
    ...(settings.addresses === undefined ? {} : { addresses: settings.addresses }),
    decide: harness.decide,
    observer: {
      deadLettered: (_id, _labels, reason) => harness.dead.add(reason),
      recordMissing: (id) => harness.missing.add(id),
      settingsUnreadable: (instance) => harness.unreadable.add(instance),
    },
    onError: () => {},
  });
  const rooms = new LineRooms(common);
  const concurrency = settings.concurrency ?? 10;
  return new RetryWorker({
    store: harness.store,
    handler,
    lines: new Lines({ roomOf: (id, bytes) => rooms.roomOf(id, bytes) }),
    concurrency,
    freshAt: () => Number.NEGATIVE_INFINITY,
    maxBytes,
    queue: harness.openQueue(),
    onError: () => {},
  });
}
