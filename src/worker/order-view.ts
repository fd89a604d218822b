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
  /** Messages that came later are known to have a second copy; undefined: of none is that known yet. */
  readonly epoch: number | undefined;
  /** A worker may hold messages of before, which come again when it is gone. */
  readonly isUnclean: boolean;
  /** When all of them were handed over to the workers that may hold them. */
  readonly generation: string;
  /** They came here before; undefined: some may still come. */
  readonly cleanEpoch: number | undefined;
}

/** An entry as Redis has it, and the time of a sweep that the worker that asks is to begin. */
export type RawEntry = readonly [
  id: string,
  state: string,
  since: string,
  ageMs: number,
  unclean: number,
  generation: string,
  sweep: string,
];

/** What is known of it is good for so long: nothing is taken out of the ordered queue's care within that time. */
export const FRESH_MS = 60_000;
/** What the broker sent before a marker may be read after everybody knows of the marker, where this process is busy. */
export const LATE_MS = 10_000;
/** Later nobody can hold a message of before any more. */
const UNCLEAN_MS = 86_400_000;

/** What this worker knows of ordered destinations. */
export class OrderView {
  private entries: ReadonlyMap<DestinationId, OrderEntry> = new Map();
  private readAt = Number.NEGATIVE_INFINITY;
  private readonly startedAt = monotonicMs();
  private sweeps: (readonly [id: string, at: string])[] = [];

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
      const [id, state, , , , , sweep] = entry;
      if (sweep !== '') this.sweeps.push([id, sweep]);
      if (state === 'joining' || state === 'ordered' || state === 'leaving')
        entries.set(id as DestinationId, this.entryOf(entry, state));
    }
    this.entries = entries;
    this.readAt = askedAt;
  }

  /** Sweeps that are to be begun here, each once. */
  takeSweeps(): readonly (readonly [id: string, at: string])[] {
    return this.sweeps.splice(0);
  }

  /** Whether a message of the main queue is left to the ordered one, for this destination. */
  isLeftOut(id: DestinationId, epoch: number, isRedelivered: boolean): boolean {
    const entry = this.entries.get(id);
    if (entry?.epoch === undefined || epoch < entry.epoch) return false;
    return !(isRedelivered && entry.isUnclean);
  }

  private entryOf([id, , since, ageMs, unclean, generation]: RawEntry, state: OrderState): OrderEntry {
    const last = this.entries.get(id as DestinationId);
    const known = last?.state === state && last.since === since ? last : undefined;
    const isUnclean = unclean > 0 && ageMs < UNCLEAN_MS;
    const generationMs = ageMs - (Number(generation) - Number(since));
    const cleanEpoch = known?.generation === generation ? known.cleanEpoch : undefined;
    const isInForce = state === 'ordered' && ageMs >= LATE_MS;
    const isHandedOver = state === 'ordered' && isUnclean && generationMs >= LATE_MS;
    return {
      ...{ state, since, ageMs, isUnclean, generation },
      epoch: known?.epoch ?? (isInForce ? this.epochOf(ageMs) : undefined),
      cleanEpoch: cleanEpoch ?? (isHandedOver ? this.epochs.advance() : undefined),
    };
  }

  /** Where it was ordered before this process began, all that comes here is later. */
  private epochOf(ageMs: number): number {
    return monotonicMs() - ageMs < this.startedAt ? 0 : this.epochs.advance();
  }
}
