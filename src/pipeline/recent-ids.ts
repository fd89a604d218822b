import { EVENT_ID_LENGTH, type EventId } from '../events/event-id';

/**
 * The ids that were added last, as bytes in one piece of memory. As strings each would become old, in the sense of the collector,
 * before its turn to be forgotten, and wait for a full collection.
 */
export class RecentIds {
  private readonly bytes: Buffer;
  private position = 0;

  constructor(count: number) {
    this.bytes = Buffer.alloc(count * EVENT_ID_LENGTH);
  }

  add(id: EventId): void {
    this.bytes.write(id, this.position, EVENT_ID_LENGTH, 'latin1');
    this.position = (this.position + EVENT_ID_LENGTH) % this.bytes.length;
  }

  /** Searches through all: for what is asked for rarely. */
  has(id: EventId): boolean {
    let at = this.bytes.indexOf(id, 0, 'latin1');
    // It may stand across two others.
    while (at !== -1 && at % EVENT_ID_LENGTH !== 0) at = this.bytes.indexOf(id, at + 1, 'latin1');
    return at !== -1;
  }
}
