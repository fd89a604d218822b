import { CHOSEN_MS, type Circuit } from '../pipeline/circuit';
import { type DestinationId, destinationKey } from '../pipeline/delivery';
import type { StoredCalls } from '../retry/retry-store';

export interface ProbeClaimsParts {
  readonly store: Pick<StoredCalls, 'call'>;
  readonly circuitOf: (id: DestinationId) => Circuit | undefined;
  /** Resolves once Redis knows what this worker found out, to whether it does. */
  readonly isTold: (id: DestinationId) => Promise<boolean>;
  /** The name under which this process says that it is there (retry/presence.ts). */
  readonly worker: string;
  readonly onError: (error: unknown) => void;
}

/** A claim outlasts the time in which its worker makes use of it. */
const CLAIM_MS = CHOSEN_MS + 2000;
/** And the attempt that it was made for. */
const PROBE_MARGIN_MS = 5000;
/** A claim that another worker has is asked for again at the latest after this: it may have been given up. */
const ASK_AGAIN_MS = 1000;

/** Of all workers one lets an attempt through where a circuit is open: the one that has the claim. */
export class ProbeClaims {
  constructor(private readonly parts: ProbeClaimsParts) {}

  async claim(id: DestinationId): Promise<void> {
    const { circuitOf, isTold, onError } = this.parts;
    try {
      const waitMs = (await isTold(id)) ? await this.ask(id, CLAIM_MS) : 0;
      const circuit = circuitOf(id);
      if (waitMs === 0) circuit?.granted();
      else if (waitMs < 0) circuit?.close();
      else circuit?.adopt(circuit.obstacle, Math.min(waitMs, ASK_AGAIN_MS));
    } catch (error) {
      // Alone, it goes on as if there were no others.
      circuitOf(id)?.granted();
      onError(error);
    }
  }

  /** @param mostMs that the attempt may take */
  async extend(id: DestinationId, mostMs: number): Promise<void> {
    await this.ask(id, mostMs + PROBE_MARGIN_MS).catch(this.parts.onError);
  }

  private async ask(id: DestinationId, claimMs: number): Promise<number> {
    const { store, worker } = this.parts;
    return Number(await store.call('relayClaimProbe', destinationKey(id), worker, claimMs));
  }
}
