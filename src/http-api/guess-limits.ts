import { LRUCache } from 'lru-cache';
import { addressGroup } from '../network/client-address';
import { monotonicMs } from '../time/monotonic';
import { Pace, type Rate } from '../time/pace';

/** What a wrong key is answered: after a pause, or at once that it was too many. */
export type GuessVerdict =
  | { readonly kind: 'wait'; readonly ms: number; readonly done: () => void }
  | { readonly kind: 'refuse'; readonly retryAfterMs: number };

/** Of one address: an IPv4 address, or the /64 of an IPv6 address. */
const PER_ADDRESS: Rate = { burst: 10, intervalMs: 250 };
const IN_ALL: Rate = { burst: 200, intervalMs: 20 };
const LONGEST_WAIT_MS = 5000;
/** Answers that wait for their turn. Each holds a connection and what came over it. */
const MAX_WAITING = 256;
const MAX_ADDRESSES = 10_000;

/**
 * Slows the answers to wrong keys down, by address and in all. It is asked after the comparison: the right key never meets
 * it. Beyond the longest wait wrong keys are refused at once and use up no turn.
 */
export class GuessLimits {
  private readonly addresses = new LRUCache<string, Pace>({ max: MAX_ADDRESSES });
  private readonly all = new Pace(IN_ALL);
  private waiting = 0;

  constructor(private readonly now: () => number = monotonicMs) {}

  /** A wrong key came from this address. */
  next(address: string): GuessVerdict {
    const now = this.now();
    const own = this.turnsOf(addressGroup(address));
    const waitMs = Math.max(own.waitMs(now), this.all.waitMs(now));
    if (waitMs > LONGEST_WAIT_MS || this.waiting >= MAX_WAITING) {
      return { kind: 'refuse', retryAfterMs: LONGEST_WAIT_MS };
    }
    own.take(now);
    this.all.take(now);
    this.waiting++;
    return { kind: 'wait', ms: waitMs, done: () => this.waiting-- };
  }

  private turnsOf(group: string): Pace {
    let turns = this.addresses.get(group);
    if (turns === undefined) {
      turns = new Pace(PER_ADDRESS);
      this.addresses.set(group, turns);
    }
    return turns;
  }
}
