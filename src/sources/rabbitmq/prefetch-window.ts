/** How much a message's size moves the average. */
const WEIGHT = 0.05;
/** The window grows again only when messages are this much smaller than they could be. */
const GROWTH_RESERVE = 4;

/**
 * Bounds what one consumer holds, in count and in bytes. AMQP knows a limit in messages only (prefetch), so the
 * window turns bytes into messages: it shrinks as soon as what came does not fit, and grows while messages are
 * small.
 */
export class Window {
  private heldBytes = 0;
  private averageBytes = 0;
  private size: number;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {
    this.size = maxMessages;
  }

  /** Prefetch to consume with. */
  get prefetch(): number {
    return this.size;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** Takes a message of `bytes`; false when it does not fit. A message alone always fits. */
  admit(bytes: number): boolean {
    this.averageBytes += (bytes - this.averageBytes) * WEIGHT;
    if (this.heldBytes > 0 && this.heldBytes + bytes > this.maxBytes) return false;
    this.heldBytes += bytes;
    return true;
  }

  leave(bytes: number): void {
    this.heldBytes -= bytes;
  }

  /** After a message of `bytes` that did not fit: as many messages of that size as do. */
  shrink(bytes: number): void {
    this.size = Math.max(1, Math.min(this.size - 1, Math.floor(this.maxBytes / (2 * bytes))));
  }

  /** Asked from time to time: true when the window was made larger. */
  grow(): boolean {
    const fits = this.maxBytes / (GROWTH_RESERVE * Math.max(this.averageBytes, 1));
    const size = Math.min(this.maxMessages, this.size * 2);
    if (size === this.size || fits < size) return false;
    this.size = size;
    return true;
  }
}
