/** Assumed of messages before any has come. */
const FIRST_ESTIMATE = 65_536;
/** How slowly the estimate comes down from the largest message to the usual one. */
const DECAY = 0.98;

/**
 * Bounds what one source holds, in count and in bytes. A slot is reserved before a message is asked for; as SQS is
 * asked for a number of messages, not of bytes, reservations in bytes are an estimate. What turns out larger waits to
 * be handed over until it fits.
 */
export class Room {
  private reserved = 0;
  private heldCount = 0;
  private heldBytes = 0;
  private handedBytes = 0;
  private estimate = FIRST_ESTIMATE;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {}

  get messages(): number {
    return this.heldCount;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** Slots that could be reserved now. One message alone always fits, however large. */
  get free(): number {
    if (this.heldCount + this.reserved === 0) return Math.max(1, this.slots);
    return Math.max(0, this.slots);
  }

  reserve(count: number): void {
    this.reserved += count;
  }

  unreserve(count: number): void {
    this.reserved -= count;
  }

  /** A message came in. */
  enter(bytes: number): void {
    this.heldCount++;
    this.heldBytes += bytes;
    this.estimate = Math.max(bytes, this.estimate * DECAY + bytes * (1 - DECAY));
  }

  /** Takes room for a message that is handed over; false where that must wait. */
  handOver(bytes: number): boolean {
    if (this.handedBytes > 0 && this.handedBytes + bytes > this.maxBytes) return false;
    this.handedBytes += bytes;
    return true;
  }

  /** A body that was handed over is replaced by another one. */
  resize(before: number, after: number): void {
    this.heldBytes += after - before;
    this.handedBytes += after - before;
  }

  leave(bytes: number, wasHandedOver: boolean): void {
    this.heldCount--;
    this.heldBytes -= bytes;
    if (wasHandedOver) this.handedBytes -= bytes;
  }

  private get slots(): number {
    const byBytes = Math.floor((this.maxBytes - this.heldBytes) / this.estimate);
    return Math.min(this.maxMessages - this.heldCount, byBytes) - this.reserved;
  }
}
