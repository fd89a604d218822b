import type { DestinationId } from '../pipeline/delivery';
import type { Epochs } from '../pipeline/epochs';
import { monotonicMs } from '../time/monotonic';

/**
 * How events of an ordered destination reach it, of which RabbitMQ has two copies, one in each queue:
 *
 * | state   | its copies of the main queue | its copies of the ordered queue | ends when                                        |
 * |---------|------------------------------|---------------------------------|--------------------------------------------------|
 * | none    | delivered                    | left out                        | a worker hears that it is ordered: joining       |
 * | joining | delivered                    | delivered, in their order       | a marker has passed the ordered queue, then the main one: ordered |
 * | ordered | left out                     | delivered, in their order       | it is not ordered any more: leaving              |
 * | leaving | delivered                    | delivered                       | all workers know, and a marker has passed the ordered queue: none |
 */
export type OrderState = 'joining' | 'ordered' | 'leaving';

export interface OrderEntry {
  readonly state: OrderState;
  /** By the clock of Redis, as it stands there. */
  readonly since: string;
  readonly ageMs: number;
  /** Messages that came later are known to have a second copy. */
  readonly epoch: number;
  /** A worker may have held messages of before, which come again when it is gone. */
  readonly isUnclean: boolean;
}

/** An entry as Redis has it. */
export type RawEntry = readonly [id: string, state: string, since: string, ageMs: number, unclean: number];

/** What is known of it is good for so long: nothing is taken out of the ordered queue's care within that time. */
export const FRESH_MS = 60_000;
/** Later nobody can hold a message of before any more. */
const UNCLEAN_MS = 86_400_000;

/** What this worker knows of ordered destinations. */
export class OrderView {
  private entries: ReadonlyMap<DestinationId, OrderEntry> = new Map();
  private readAt = Number.NEGATIVE_INFINITY;
  private readonly startedAt = monotonicMs();

  constructor(private readonly epochs: Epochs) {}

  get size(): number {
    return this.entries.size;
  }

  get isFresh(): boolean {
    return monotonicMs() - this.readAt < FRESH_MS;
  }

  get all(): Iterable<readonly [DestinationId, OrderEntry]> {
    return this.entries;
  }

  of(id: DestinationId): OrderEntry | undefined {
    return this.entries.get(id);
  }

  /** @param askedAt what is said was so then, or later */
  read(raw: readonly RawEntry[], askedAt: number): void {
    const entries = new Map<DestinationId, OrderEntry>();
    for (const entry of raw) {
      const [id, state] = entry;
      if (state === 'joining' || state === 'ordered' || state === 'leaving')
        entries.set(id as DestinationId, this.entryOf(entry, state));
    }
    this.entries = entries;
    this.readAt = askedAt;
  }

  /** Whether a message of the main queue is left to the ordered one, for this destination. */
  isLeftOut(id: DestinationId, epoch: number, isRedelivered: boolean): boolean {
    const entry = this.entries.get(id);
    if (entry?.state !== 'ordered' || epoch < entry.epoch) return false;
    return !(isRedelivered && entry.isUnclean);
  }

  private entryOf([id, , since, ageMs, unclean]: RawEntry, state: OrderState): OrderEntry {
    const known = this.entries.get(id as DestinationId);
    const isUnclean = unclean > 0 && ageMs < UNCLEAN_MS;
    if (known?.state === state && known.since === since) return { ...known, ageMs, isUnclean };
    return { state, since, ageMs, isUnclean, epoch: state === 'ordered' ? this.epochOf(ageMs) : 0 };
  }

  /** Where it was ordered before this process began, all that comes here is later. */
  private epochOf(ageMs: number): number {
    return monotonicMs() - ageMs < this.startedAt ? 0 : this.epochs.advance();
  }
}
