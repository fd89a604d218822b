import type { MalformedEventError } from '../errors';
import type { Origin } from '../events/envelope';

/** What the source does with a message in the end: it is done with, or it goes back to the broker. */
export type Settlement = 'ack' | 'release';

/** What a source hands over. It is held by the broker until `settle`; the first call wins, later ones do nothing. */
export interface SourceMessage {
  readonly body: Buffer;
  readonly origin: Origin;
  /** Identity that the broker keeps for this one message across redeliveries, where it has one. */
  readonly messageId?: string | undefined;
  /** When it was published, epoch milliseconds, where the broker knows. */
  readonly publishedAt: number | undefined;
  /** Set where the source knows that it can never become an event: it is dead-lettered with this reason. */
  readonly flaw?: MalformedEventError;
  /** The broker says that it handed this message over before, to this process or another one. */
  readonly redelivered: boolean;
  /** The broker took it back (its channel is gone): settling it has no effect, and it comes again. */
  readonly isLost: boolean;
  /** Set where the source hands every event over twice, which of the two this is: the ordered one keeps the order. */
  readonly copy?: 'main' | 'ordered' | undefined;
  /**
   * Set where nobody else gets messages of this queue, in their order, for as long as it is the same object. What comes with
   * another one may follow messages that somebody else got meanwhile.
   */
  readonly term?: object | undefined;
  settle(settlement: Settlement): void;
}
