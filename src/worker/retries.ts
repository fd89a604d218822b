import type { Config } from '../config/config';
import { DeadLetters } from '../dead-letters/dead-letters';
import { instanceOf } from '../destinations/destination-ids';
import { GoneDestinations } from '../ledger/gone-destinations';
import type { Logger } from '../observability/logging';
import { describeError, throttled } from '../observability/report';
import type { Attempts } from '../pipeline/attempts';
import type { Bulkhead } from '../pipeline/bulkhead';
import type { Destination, DestinationId } from '../pipeline/delivery';
import type { Decide } from '../pipeline/parking';
import type { Places } from '../pipeline/places';
import type { Subscriptions } from '../redis/subscriber';
import { AddressRoster } from '../retry/address-roster';
import { LineRooms } from '../retry/line-rooms';
import { Lines } from '../retry/lines';
import { Presence } from '../retry/presence';
import { RetryHandler } from '../retry/retry-handler';
import { RetryQueue } from '../retry/retry-queue';
import type { RetryStore } from '../retry/retry-store';
import { RetryUpkeep } from '../retry/retry-upkeep';
import { RetryWorker } from '../retry/retry-worker';
import type { StoredDeliveries } from '../retry/stored-deliveries';
import { DeadLetterExpiry } from './dead-letter-expiry';
import type { Observer } from './observer';

export interface RetriesParts {
  readonly config: Config;
  readonly store: RetryStore;
  readonly subscriptions: Subscriptions;
  /** The name under which this process says that it is there. */
  readonly worker: string;
  readonly deliveries: StoredDeliveries;
  readonly attempts: Attempts;
  readonly places: Places;
  readonly bulkheadOf: (destination: Destination) => Bulkhead;
  readonly isAlone: (id: DestinationId) => boolean;
  /** When a fresh delivery came last, by the monotonic clock. */
  readonly freshAt: () => number;
  readonly destinationOf: (id: DestinationId, instance?: string) => Promise<Destination | undefined>;
  /** Of the global destinations, by id. */
  readonly addresses: ReadonlyMap<DestinationId, string>;
  /** No living worker has another address for this global destination any more. */
  readonly onAddressesAgree: (id: DestinationId) => void;
  readonly decide: Decide;
  readonly observer: Observer;
  readonly log: Logger;
  readonly onRedisError: (error: unknown) => void;
}

/** A worker that dies leaves its jobs locked for this long. */
const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5_000;

/** Everything that a worker does with what is stored: makes retries, and looks after what lies there. */
export class Retries {
  private readonly presence: Presence;
  private readonly roster: AddressRoster;
  private readonly worker: RetryWorker;
  private readonly upkeep: RetryUpkeep;
  private readonly expiry: DeadLetterExpiry;
  private readonly gone: GoneDestinations;

  constructor(parts: RetriesParts) {
    this.presence = new Presence({
      ...parts,
      onFreed: (count) => parts.observer.recovered(count),
      onError: parts.onRedisError,
    });
    this.roster = new AddressRoster({
      store: parts.store,
      own: parts.addresses,
      onDisagreement: (destination) => parts.observer.addressesDiffer(destination),
      onAgreement: parts.onAddressesAgree,
      onError: parts.onRedisError,
    });
    this.worker = retryWorkerOf(parts, this.roster);
    this.upkeep = upkeepOf(parts);
    this.expiry = expiryOf(parts);
    this.gone = new GoneDestinations({
      store: parts.store,
      // Of the global ones each worker knows its own.
      isThere: async (id) => instanceOf(id) === undefined || (await parts.destinationOf(id)) !== undefined,
      onError: parts.onRedisError,
    });
  }

  start(): void {
    this.presence.start();
    this.roster.start();
    this.worker.start();
    this.upkeep.start();
    this.expiry.start();
    this.gone.start();
  }

  /** Takes no more; retries under way go on. */
  async stopIntake(): Promise<void> {
    this.expiry.stop();
    await Promise.all([
      ...[this.worker.stopIntake(), this.upkeep.stop(), this.roster.stop(), this.gone.stop()],
    ]);
  }

  /** Resolves when no retry is under way any more. */
  async close(): Promise<void> {
    await this.worker.close();
    await this.presence.stop();
  }
}

function retryWorkerOf(parts: RetriesParts, roster: AddressRoster): RetryWorker {
  const { config, store, observer, onRedisError } = parts;
  const handler = handlerOf(parts, roster);
  return new RetryWorker({
    store,
    lines: linesOf(parts),
    queue: new RetryQueue({
      store,
      lockMs: LOCK_MS,
      stalledCheckMs: STALLED_CHECK_MS,
      onStalled: (count) => observer.recovered(count),
      onError: onRedisError,
    }),
    handler,
    concurrency: config.retry.concurrency,
    freshAt: parts.freshAt,
    maxBytes: config.delivery.maxBytesInFlight,
    onError: onRedisError,
  });
}

function linesOf({ config, ...parts }: RetriesParts): Lines {
  const { attempts, places, bulkheadOf, isAlone, destinationOf } = parts;
  const rooms = new LineRooms({ attempts, places, bulkheadOf, isAlone, destinationOf });
  return new Lines({ roomOf: (id, bytes) => rooms.roomOf(id, bytes) });
}

function handlerOf({ observer, log, ...parts }: RetriesParts, addresses: AddressRoster): RetryHandler {
  const { deliveries, attempts, places, bulkheadOf, isAlone, destinationOf, decide } = parts;
  return new RetryHandler({
    ...{ deliveries, attempts, places, bulkheadOf, isAlone, destinationOf, addresses, decide, observer },
    onError: throttled((error) => log.warn('a retry was put off', describeError(error))),
  });
}

function upkeepOf({ config, store, observer, log, onRedisError }: RetriesParts): RetryUpkeep {
  return new RetryUpkeep({
    store,
    parkedMaxAgeMs: config.retry.parkedMaxAgeMs,
    orderedMaxAgeMs: config.retry.orderedMaxAgeMs,
    onExpired: (expired) => observer.expired(expired),
    onForward: (count) => observer.broughtForward(count),
    onMended: (count) =>
      log.warn('deliveries that a failed change had left in no place, or in two, were placed again', {
        count,
      }),
    onUncounted: (reason) => log.error("the audit's counters cannot be written", { reason }),
    onError: onRedisError,
  });
}

function expiryOf({ config, store, log }: RetriesParts): DeadLetterExpiry {
  const { deadLetterMaxAgeMs: maxAgeMs, deadLetterMaxCount: maxCount } = config.retry;
  return new DeadLetterExpiry({ store, deadLetters: new DeadLetters(store), maxAgeMs, maxCount, log });
}
