/** How much a message's size moves the average. */
const WEIGHT = 0.05;
/** The window grows again only when messages are this much smaller than they could be. */
const GROWTH_RESERVE = 4;
/**
 * Messages of lost channels whose work goes on, and those of present channels: no more than this many windows in all.
 * The second one lets copies of the former in, which take their place.
 */
const WINDOWS_IN_ALL = 2;

/**
 * Bounds what a source holds, in count and in bytes, over all of its channels and across reconnections. AMQP knows a
 * limit in messages only (prefetch), so the window turns bytes into messages: it shrinks as soon as what came does not
 * fit, and grows while messages are small.
 */
export class PrefetchWindow {
  private heldCount = 0;
  private heldBytes = 0;
  /** Of those held: messages that the broker took back, and that are still being worked on. */
  private staleCount = 0;
  private averageBytes = 0;
  private returnedTimes = 0;
  private size: number;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {
    this.size = maxMessages;
  }

  get count(): number {
    return this.heldCount;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** How often messages went back to the broker, for whatever reason. */
  get returned(): number {
    return this.returnedTimes;
  }

  /** Messages wait for room that nobody has got yet. */
  get isHoldingBack(): boolean {
    return this.waiting.size > 0;
  }

  noteReturned(): void {
    this.returnedTimes++;
  }

  /** Messages to hold at once, of the present channels. */
  get prefetch(): number {
    return Math.max(1, this.size - this.staleCount);
  }

  /** Prefetch of each consumer where there are this many. */
  share(consumers: number): number {
    return Math.max(1, Math.floor(this.prefetch / Math.max(1, consumers)));
  }

  /** Takes a message of `bytes`; false when it does not fit. A message alone always fits. */
  admit(bytes: number): boolean {
    this.averageBytes += (bytes - this.averageBytes) * WEIGHT;
    if (!this.fits(bytes)) return false;
    this.heldCount++;
    this.heldBytes += bytes;
    return true;
  }

  fits(bytes: number): boolean {
    if (this.heldBytes > 0 && this.heldBytes + bytes > this.maxBytes) return false;
    return (
      this.heldCount - this.staleCount < this.maxMessages &&
      this.heldCount < WINDOWS_IN_ALL * this.maxMessages
    );
  }

  leave(bytes: number): void {
    this.heldCount--;
    this.heldBytes -= bytes;
    if (this.waiting.size > 0) this.wake();
  }

  /** The channel of this many messages is gone, and their work goes on: they count until it ends. */
  abandon(messages: number): void {
    this.staleCount += messages;
    this.returnedTimes++;
  }

  /** As `leave`, for a message of a channel that is gone. */
  leaveAbandoned(bytes: number): void {
    this.staleCount--;
    this.leave(bytes);
  }

  /** Calls back each time that something has left, until `noLongerWaits`. */
  waitForRoom(callback: () => void): void {
    this.waiting.add(callback);
  }

  noLongerWaits(callback: () => void): void {
    this.waiting.delete(callback);
  }

  /** After a message of `bytes` that did not fit: as many messages of that size as do. */
  shrink(bytes: number): void {
    const fitting = Math.floor(this.maxBytes / (2 * Math.max(bytes, 1)));
    this.size = Math.max(1, Math.min(this.size - 1, fitting));
  }

  /** Asked from time to time: true when the window was made larger. */
  grow(): boolean {
    const fits = this.maxBytes / (GROWTH_RESERVE * Math.max(this.averageBytes, 1));
    const size = Math.min(this.maxMessages, this.size * 2);
    if (size === this.size || fits < size) return false;
    this.size = size;
    return true;
  }

  private wake(): void {
    for (const callback of [...this.waiting]) callback();
  }
}
