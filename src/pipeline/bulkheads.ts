import { Bulkhead, type BulkheadOptions } from './bulkhead';
import type { Circuit, SharedCircuit } from './circuit';
import type { Destination, DestinationId } from './delivery';
import type { Limits, Rate } from './destination-limits';
import type { Permits } from './permits';

/** Destinations that are remembered while nothing is under way to them. */
const MAX_REMEMBERED = 50_000;
/** Requests at once to a destination of which nothing is known yet: what one ordinary application server takes. */
const FIRST_CONCURRENCY = 100;
const NO_LIMITS: Limits = {};

/** A destination, and what was set for it. */
export type Limited = Pick<Destination, 'id' | 'limits'>;

/** The bulkhead of each destination, made when it is first needed. */
export class Bulkheads {
  private readonly bulkheads = new Map<DestinationId, Bulkhead>();
  private open = 0;

  constructor(private readonly options: BulkheadsOptions) {}

  /** Circuits that are open at this moment. */
  get circuitsOpen(): number {
    return this.open;
  }

  of({ id, limits }: Limited): Bulkhead {
    const bulkhead = this.bulkheads.get(id) ?? this.make(id);
    bulkhead.holdTo(limits ?? NO_LIMITS);
    return bulkhead;
  }

  private make(id: DestinationId): Bulkhead {
    if (this.bulkheads.size >= MAX_REMEMBERED) this.forgetOneIdle();
    const perRequest = this.options.perRequest?.(id) ?? 1;
    const { circuitOpenMs: openMs } = this.options;
    const most = this.options.concurrency * perRequest;
    const { idleMs } = this.options;
    const first = Math.min(FIRST_CONCURRENCY * perRequest, most);
    const concurrency = idleMs === undefined ? { first, most } : { first, most, idleMs };
    const failures = this.options.circuitFailures * perRequest;
    const onChange = (change: 1 | -1): void => {
      this.open += change;
      if (change === -1) bulkhead.restart();
      this.options.onCircuit(id, change === 1);
    };
    const { shared } = this.options;
    // No spread: this is made anew for each of many thousand destinations.
    const bulkhead: Bulkhead = new Bulkhead({
      concurrency,
      perRequest,
      circuit:
        shared === undefined
          ? { failures, openMs, onChange }
          : { failures, openMs, onChange, shared: shared.of(id) },
      permitsFor: this.permitsFor(id),
    });
    this.bulkheads.set(id, bulkhead);
    shared?.adopt(id, bulkhead.circuit);
    return bulkhead;
  }

  /** The circuit of a destination that is remembered. */
  circuitOf(id: DestinationId): Circuit | undefined {
    return this.bulkheads.get(id)?.circuit;
  }

  /** Ends what goes on beside attempts. */
  close(): void {
    for (const bulkhead of this.bulkheads.values()) bulkhead.close();
  }

  private permitsFor(id: DestinationId): BulkheadOptions['permitsFor'] {
    const { permitsFor } = this.options;
    return permitsFor === undefined ? undefined : (rate, waiting) => permitsFor(id, rate, waiting);
  }

  private forgetOneIdle(): void {
    for (const [id, bulkhead] of this.bulkheads) {
      // What all workers know of a circuit is not forgotten with it.
      if (!bulkhead.isIdle || (bulkhead.circuit.isOpen && this.options.shared === undefined)) continue;
      bulkhead.circuit.forget();
      bulkhead.close();
      this.bulkheads.delete(id);
      return;
    }
  }
}

/** What all workers know of circuits together. */
export interface SharedCircuits {
  of(id: DestinationId): SharedCircuit;
  /** A circuit was made: it is opened where it is known to be open. */
  adopt(id: DestinationId, circuit: Circuit): void;
}

export interface BulkheadsOptions {
  /** Attempts at once to one destination at the most, in requests. */
  readonly concurrency: number;
  /** Deliveries that share a request: what is limited in requests is that many times as many deliveries. */
  readonly perRequest?: (id: DestinationId) => number;
  /** Makes what the attempts of a destination with a rate limit need; left out where none is kept. */
  readonly permitsFor?: (id: DestinationId, rate: Rate, waiting: () => number) => Permits;
  /** For how long this process had nothing to do so far; left out where its own load is of no interest. */
  readonly idleMs?: () => number;
  readonly circuitFailures: number;
  readonly circuitOpenMs: number;
  /** Left out where a worker is alone. */
  readonly shared?: SharedCircuits;
  readonly onCircuit: (id: DestinationId, isOpen: boolean) => void;
}
