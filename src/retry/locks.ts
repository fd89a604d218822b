import type { DeliveryId } from '../pipeline/delivery';
import { SlotMap } from '../slot-map';
import type { Held } from './stored-deliveries';

export interface LocksParts {
  /** Extends locks; those that are lost. */
  readonly extend: (held: readonly Held[]) => Promise<readonly Held[]>;
  readonly onError: (error: unknown) => void;
}

/** Checks for stalled jobs lie five seconds apart: in between each living worker has renewed. */
const RENEW_MS = 2500;
/** Locks renewed by one call. */
const AT_ONCE = 500;

/**
 * Keeps the locks of what this worker holds, from the moment at which it was fetched. BullMQ's LockManager goes by the
 * process's clock, and renews nothing for an hour where that is set back by one.
 */
export class Locks {
  private held = new SlotMap<DeliveryId, string>();
  private timer: NodeJS.Timeout | undefined;
  private renewing = false;

  constructor(private readonly parts: LocksParts) {}

  hold({ id, token }: Held): void {
    this.held.set(id, token);
    this.timer ??= setInterval(() => void this.renew(), RENEW_MS);
  }

  /** Another lock on the same delivery, taken since, stays. */
  release({ id, token }: Held): void {
    if (this.held.get(id) === token) this.held.delete(id);
  }

  close(): void {
    clearInterval(this.timer);
    this.held = new SlotMap();
  }

  private async renew(): Promise<void> {
    if (this.renewing || this.held.size === 0) return;
    this.renewing = true;
    const all = this.held.entries().map(([id, token]) => ({ id, token }));
    try {
      // What is lost goes on: its end changes nothing, unless it is a confirmation.
      for (let start = 0; start < all.length; start += AT_ONCE)
        for (const lost of await this.parts.extend(all.slice(start, start + AT_ONCE))) this.release(lost);
    } catch (error) {
      this.parts.onError(error);
    }
    this.renewing = false;
  }
}
