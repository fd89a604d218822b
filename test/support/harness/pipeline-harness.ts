import { Attempts } from '../../../src/pipeline/attempts';
import { Bulkheads } from '../../../src/pipeline/bulkheads';
import type {
  AbortReason,
  AttemptRecord,
  Delivery,
  Destination,
  DestinationId,
  Outcome,
  ParkReason,
  RunningAttempt,
} from '../../../src/pipeline/delivery';
import type { Limits } from '../../../src/pipeline/destination-limits';
import { DirectAttempts, type DirectResult } from '../../../src/pipeline/direct-attempts';
import type { Decision, Parking, ParkRequest, Ticket } from '../../../src/pipeline/parking';
import type { Permits } from '../../../src/pipeline/permits';
import { Places, type Share } from '../../../src/pipeline/places';
import { type Deferred, deferred } from '../signals/signals';
import { deliveryTo, eventBody } from '../values/events';

/** One attempt that a fake destination was asked for: the test says how it ends. */
export interface FakeAttempt {
  readonly delivery: Delivery;
  readonly attempt: number;
  readonly aborts: AbortReason[];
  readonly end: (outcome: Outcome) => void;
}

/** A destination whose attempts end when the test says so, or as an abort asks. */
export class FakeDestination implements Destination {
  readonly id: DestinationId;
  readonly kind = 'webhook';
  readonly maxAttempts = 10;
  readonly attempts: FakeAttempt[] = [];
  /** Where set, every attempt ends like this at once. */
  answer: Outcome | undefined;
  /** Most attempts that were under way at once. */
  peak = 0;
  limits?: Limits;
  /** Set for a global one. */
  address?: string;
  private underWay = 0;

  constructor(
    id = 'webhook:fake',
    readonly timeoutMs = 30_000,
    readonly shares: readonly Share[] = [],
  ) {
    this.id = id as DestinationId;
  }

  async close(): Promise<void> {}

  start(delivery: Delivery, attempt: number): RunningAttempt {
    const { promise, resolve } = deferred<Outcome>();
    const aborts: AbortReason[] = [];
    this.underWay++;
    this.peak = Math.max(this.peak, this.underWay);
    let ended = false;
    const end = (outcome: Outcome): void => {
      if (!ended) this.underWay--;
      ended = true;
      resolve(outcome);
    };
    this.attempts.push({ delivery, attempt, aborts, end });
    if (this.answer !== undefined) end(this.answer);
    const abort = (reason: AbortReason): void => {
      aborts.push(reason);
      end(reason === 'timeout' ? FAILED : INTERRUPTED);
    };
    return { outcome: promise, abort };
  }

  /** The attempt with this number, counted from 0. */
  at(index: number): FakeAttempt {
    const attempt = this.attempts[index];
    if (attempt === undefined) throw new Error(`${this.attempts.length} attempts were started`);
    return attempt;
  }
}

export const DELIVERED = { kind: 'delivered', status: 200 } as const satisfies Outcome;
export const FAILED = { kind: 'failed', code: 'TIMEOUT' } as const satisfies Outcome;
export const REJECTED = { kind: 'rejected', code: 'HTTP_404', status: 404 } as const satisfies Outcome;
export const INTERRUPTED = { kind: 'interrupted', code: 'SHUTDOWN' } as const satisfies Outcome;

interface Parked extends Deferred<'stored' | 'withdrawn'> {
  readonly request: ParkRequest;
  withdrawn: boolean;
}

/** A store that takes everything at once, or, while it is away, when the test says so. */
class FakeParking implements Parking {
  readonly parked: Parked[] = [];
  readonly deliveredLater: Delivery[] = [];
  readonly failedLater: AttemptRecord[] = [];
  readonly begun: Delivery[] = [];
  away = false;

  park(request: ParkRequest): Ticket {
    const parked = { request, withdrawn: false, ...deferred<'stored' | 'withdrawn'>() };
    this.parked.push(parked);
    if (!this.away) parked.resolve('stored');
    return {
      settled: parked.promise,
      withdraw: () => {
        parked.withdrawn = true;
      },
    };
  }

  /** The store is back: what was withdrawn meanwhile is not stored. */
  comeBack(): void {
    this.away = false;
    for (const { withdrawn, resolve } of this.parked) resolve(withdrawn ? 'withdrawn' : 'stored');
  }

  close(): void {
    for (const { reject } of this.parked) reject(new Error('closed'));
  }

  begins(delivery: Delivery): void {
    this.begun.push(delivery);
  }

  async delivered(delivery: Delivery): Promise<void> {
    this.deliveredLater.push(delivery);
  }

  async failed(_delivery: Delivery, record: AttemptRecord): Promise<void> {
    this.failedLater.push(record);
  }

  get reasons(): ParkReason[] {
    return this.parked.map(({ request }) => request.reason);
  }
}

export interface PipelineOptions {
  readonly concurrency?: number;
  readonly perDestination?: number;
  readonly maxHeld?: number;
  readonly slowAfterMs?: number;
  readonly maxWaitMs?: number;
  readonly maxBytes?: number;
  readonly circuitFailures?: number;
  readonly circuitOpenMs?: number;
  readonly decision?: Decision;
  readonly permitsFor?: () => Permits;
  readonly isOnly?: (id: DestinationId) => boolean;
}

/** Direct attempts over fakes, with everything that happened to it. */
export class PipelineHarness {
  readonly parking = new FakeParking();
  readonly records: AttemptRecord[] = [];
  readonly errors: unknown[] = [];
  readonly superseded: Delivery[] = [];
  readonly circuitChanges: [id: DestinationId, isOpen: boolean][] = [];
  readonly bulkheads: Bulkheads;
  readonly places: Places;
  readonly attempts: Attempts;
  readonly directAttempts: DirectAttempts;
  private next = 0;

  constructor(options: PipelineOptions = {}) {
    const decision: Decision = options.decision ?? { kind: 'retry', delayMs: 5000 };
    this.bulkheads = new Bulkheads({
      concurrency: options.perDestination ?? 32,
      circuitFailures: options.circuitFailures ?? 10,
      circuitOpenMs: options.circuitOpenMs ?? 30_000,
      onCircuit: (id, isOpen) => this.circuitChanges.push([id, isOpen]),
      ...(options.permitsFor === undefined ? {} : { permitsFor: options.permitsFor }),
    });
    this.places = new Places({
      most: options.concurrency ?? 500,
      maxBytes: options.maxBytes ?? 1_000_000,
      maxHeld: options.maxHeld ?? 1000,
    });
    this.attempts = new Attempts({
      slowAfterMs: options.slowAfterMs ?? 1000,
      places: this.places,
      observer: { attemptEnded: (_delivery, record) => this.records.push(record) },
    });
    this.directAttempts = new DirectAttempts({
      attempts: this.attempts,
      parking: this.parking,
      decide: () => decision,
      bulkheadOf: (destination) => this.bulkheads.of(destination),
      places: this.places,
      maxWaitMs: options.maxWaitMs ?? 1000,
      onSuperseded: (newer) => this.superseded.push(newer),
      onError: (error) => this.errors.push(error),
      ...(options.isOnly === undefined ? {} : { isOnly: options.isOnly }),
    });
  }

  /** Submits one delivery; the list holds its result. */
  submit(destination: Destination, body: Buffer = eventBody(this.next++)): DirectResult[] {
    const results: DirectResult[] = [];
    const sink = { resolve: (_index: number, result: DirectResult) => results.push(result) };
    this.directAttempts.submit(deliveryTo(destination, body), sink, 0);
    return results;
  }

  submitMany(destination: Destination, count: number): DirectResult[][] {
    return Array.from({ length: count }, () => this.submit(destination));
  }
}
