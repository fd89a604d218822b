import type { EventId } from '../events/event-id';

/** Keeps an event that came more than once, by whatever source and to whichever worker, from being delivered twice. */
export interface Deduplication {
  /**
   * Resolves to `fresh` where this copy is the one to go on with, and to `seen` once another one is done.
   * While another copy is under way it waits, as that one may fail. Rejects once drained.
   */
  claim(id: EventId): Promise<'fresh' | 'seen'>;
  /** The copy that was claimed is done, acknowledged with all its deliveries: further ones are seen. */
  done(id: EventId): void;
  /** The copy that was claimed goes back to its broker: another one may go on. */
  released(id: EventId): void;
}
