/** Assumed of messages before any has come. */
const FIRST_ESTIMATE = 65_536;
/** How slowly the estimate comes down from the largest message to the usual one. */
const DECAY = 0.98;
/** Files of claims hold no more than this share of the bytes, but for one that is larger by itself. */
const CLAIM_SHARE = 0.5;

/**
 * Bounds what one source holds, in count and in bytes. A slot is reserved before a message is asked for; as SQS is
 * asked for a number of messages, not of bytes, reservations in bytes are an estimate. What turns out larger waits to
 * be handed over until it fits. Files that messages stand for take no slot, but their bytes, before they are fetched.
 */
export class IntakeBudget {
  private reserved = 0;
  private heldCount = 0;
  private heldBytes = 0;
  private handedBytes = 0;
  private claimBytes = 0;
  /** Of the file that is next: kept free for it as messages leave. */
  private awaitedBytes = 0;
  private estimate = FIRST_ESTIMATE;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {}

  get messages(): number {
    return this.heldCount;
  }

  /** Bytes of messages and of files. */
  get bytes(): number {
    return this.heldBytes + this.claimBytes;
  }

  /** Slots that could be reserved now. One message alone always fits, however large. */
  get free(): number {
    if (this.heldCount + this.reserved + this.claimBytes === 0) return Math.max(1, this.slots);
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
    const taken = this.handedBytes + this.claimBytes;
    if (taken > 0 && taken + bytes > this.maxBytes) return false;
    this.handedBytes += bytes;
    return true;
  }

  leave(bytes: number, wasHandedOver: boolean): void {
    this.heldCount--;
    this.heldBytes -= bytes;
    if (wasHandedOver) this.handedBytes -= bytes;
  }

  /** Takes room for a file; false where it must wait, with `await` or without. */
  takeClaim(bytes: number): boolean {
    if (!this.fitsClaim(bytes)) return false;
    this.claimBytes += bytes;
    return true;
  }

  leaveClaim(bytes: number): void {
    this.claimBytes -= bytes;
  }

  /** From now on this many bytes are kept free for the next file: fewer messages are asked for. 0: for none. */
  await(bytes: number): void {
    this.awaitedBytes = bytes;
  }

  private fitsClaim(bytes: number): boolean {
    if (this.bytes === 0) return true;
    if (this.bytes + bytes > this.maxBytes) return false;
    return this.claimBytes === 0 || this.claimBytes + bytes <= this.maxBytes * CLAIM_SHARE;
  }

  private get slots(): number {
    const byBytes = Math.floor((this.maxBytes - this.bytes - this.awaitedBytes) / this.estimate);
    return Math.min(this.maxMessages - this.heldCount, byBytes) - this.reserved;
  }
}
