import type { DeliveryId } from '../pipeline/delivery';
import type { StoredCalls } from './retry-store';
import type { Held } from './stored-deliveries';

export interface LocksParts {
  readonly store: Pick<StoredCalls, 'call'>;
  readonly lockMs: number;
  readonly onError: (error: unknown) => void;
}

/** A look for dead workers' jobs takes two, five seconds apart: in between each living one has renewed. */
const RENEW_MS = 2500;
/** Locks renewed by one call. */
const AT_ONCE = 500;

/** Keeps the locks of what this worker holds, from the moment at which it was taken. */
export class Locks {
  private readonly held = new Map<DeliveryId, string>();
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
    this.held.clear();
  }

  private async renew(): Promise<void> {
    if (this.renewing || this.held.size === 0) return;
    this.renewing = true;
    const all = [...this.held];
    try {
      for (let start = 0; start < all.length; start += AT_ONCE)
        await this.renewSome(all.slice(start, start + AT_ONCE));
    } catch (error) {
      this.parts.onError(error);
    }
    this.renewing = false;
  }

  /** What is lost goes on: its end changes nothing, unless it is a confirmation. */
  private async renewSome(locks: readonly (readonly [DeliveryId, string])[]): Promise<void> {
    const lost = (await this.parts.store.call('relayHold', this.parts.lockMs, ...locks.flat())) as string[];
    for (const [id, token] of locks) if (lost.includes(id)) this.release({ id, token });
  }
}
