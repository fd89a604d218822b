import type { StreamId } from './stream-id';
import type { StreamMessage } from './stream-message';

const MAX_MESSAGES = 1000;
const MAX_BYTES = 4_194_304;

/** Bytes that the backlogs of all streams may hold together. */
export class BacklogBudget {
  private held = 0;

  constructor(private readonly maxBytes: number) {}

  take(bytes: number): boolean {
    if (this.held + bytes > this.maxBytes) return false;
    this.held += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.held -= bytes;
  }
}

/**
 * The newest messages of a stream, kept to join what is read from the stream to what is heard meanwhile. Bounded: what
 * does not fit is left out, and is read from the stream instead.
 */
export class Backlog {
  private messages: StreamMessage[] = [];
  private bytes = 0;

  constructor(private readonly budget: BacklogBudget) {}

  add(message: StreamMessage): void {
    // Without this one, those before it lead nowhere.
    if (!this.fits(message)) return this.clear();
    this.messages.push(message);
    this.bytes += message.bytes;
  }

  /** The messages that follow `position`, one after the other without a hole, as far as they are here. */
  after(position: StreamId): StreamMessage[] {
    const following: StreamMessage[] = [];
    let end = position;
    for (const message of this.messages) {
      if (message.previous !== end) continue;
      following.push(message);
      end = message.id;
    }
    return following;
  }

  clear(): void {
    this.budget.giveBack(this.bytes);
    this.messages = [];
    this.bytes = 0;
  }

  private fits({ bytes }: StreamMessage): boolean {
    return this.messages.length < MAX_MESSAGES && this.bytes + bytes <= MAX_BYTES && this.budget.take(bytes);
  }
}
