/** What has a lane of its own at an ordered destination. */
export type Ordered = 'instance' | 'chat';

/** What was set for one destination, beside what the operator sets for all of them. */
export interface Limits {
  /** Deliveries arrive in their order, those of each lane; left out where they may overtake each other. */
  readonly ordered?: Ordered;
  /** Attempts at once by each worker, in requests; no more than the operator's. */
  readonly concurrency?: number;
  /** Attempts of all workers together, retries included. */
  readonly rate?: Rate;
  /** Which events make older ones needless that still wait. */
  readonly coalesce?: Coalescing;
}

export interface Coalescing {
  /** Their filter keys. */
  readonly events: ReadonlySet<string>;
  readonly withinMs: number;
}

/** No more than `count` in any `seconds`. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
}

export function isSameRate(one: Rate | undefined, other: Rate | undefined): boolean {
  return one?.count === other?.count && one?.seconds === other?.seconds;
}
