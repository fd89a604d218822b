import type { DestinationId } from '../../src/pipeline/delivery';
import { LIMITS } from './limits';

/** What one process has under way at this moment; the first excess over a limit is kept. */
export class Gauge {
  /** Which limit was exceeded, in words. */
  excess: string | undefined;
  private attempts = 0;
  private bytes = 0;
  private readonly perDestination = new Map<DestinationId, number>();

  enter(id: DestinationId, bytes: number): void {
    const here = (this.perDestination.get(id) ?? 0) + 1;
    this.perDestination.set(id, here);
    this.attempts++;
    this.bytes += bytes * 2;
    this.check('attempts to one destination', here, LIMITS.perDestination);
    this.check('attempts in flight', this.attempts, 2 * LIMITS.concurrency + LIMITS.retries);
    if (this.attempts > 1) this.check('bytes in flight', this.bytes, LIMITS.maxBytes);
  }

  leave(id: DestinationId, bytes: number): void {
    this.perDestination.set(id, (this.perDestination.get(id) ?? 0) - 1);
    this.attempts--;
    this.bytes -= bytes * 2;
  }

  messages(held: number): void {
    this.check('messages held', held, LIMITS.prefetch);
  }

  private check(what: string, value: number, limit: number): void {
    if (value > limit) this.excess ??= `${what}: ${value}, and ${limit} are the limit`;
  }
}
