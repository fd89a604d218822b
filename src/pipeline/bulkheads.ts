import { Bulkhead } from './bulkhead';
import type { Destination, DestinationId } from './delivery';

/** Destinations that are remembered while nothing is under way to them. */
const MAX_REMEMBERED = 50_000;
/** Requests at once to a destination of which nothing is known yet: what one ordinary application server takes. */
const FIRST_CONCURRENCY = 100;

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
    bulkhead.allow(limits?.concurrency);
    return bulkhead;
  }

  private make(id: DestinationId): Bulkhead {
    if (this.bulkheads.size >= MAX_REMEMBERED) this.forgetOneIdle();
    const perRequest = this.options.perRequest?.(id) ?? 1;
    const { circuitOpenMs: openMs } = this.options;
    const most = this.options.concurrency * perRequest;
    const concurrency = { first: Math.min(FIRST_CONCURRENCY * perRequest, most), most };
    const failures = this.options.circuitFailures * perRequest;
    const onChange = (change: 1 | -1): void => {
      this.open += change;
      this.options.onCircuit(id, change === 1);
    };
    // No spread: this is made anew for each of many thousand destinations.
    const bulkhead = new Bulkhead({ concurrency, perRequest, circuit: { failures, openMs, onChange } });
    this.bulkheads.set(id, bulkhead);
    return bulkhead;
  }

  private forgetOneIdle(): void {
    for (const [id, bulkhead] of this.bulkheads) {
      if (!bulkhead.isIdle || bulkhead.circuit.closedIn() > 0) continue;
      bulkhead.circuit.forget();
      this.bulkheads.delete(id);
      return;
    }
  }
}

interface BulkheadsOptions {
  /** Attempts at once to one destination at the most, in requests. */
  readonly concurrency: number;
  /** Deliveries that share a request: what is limited in requests is that many times as many deliveries. */
  readonly perRequest?: (id: DestinationId) => number;
  readonly circuitFailures: number;
  readonly circuitOpenMs: number;
  readonly onCircuit: (id: DestinationId, isOpen: boolean) => void;
}
