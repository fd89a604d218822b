/** What was set for one destination, beside what the operator sets for all of them. */
export interface Limits {
  /** Attempts at once by each worker, in requests; no more than the operator's. */
  readonly concurrency?: number;
  /** Attempts of all workers together, retries included. */
  readonly rate?: Rate;
}

/** No more than `count` in any `seconds`. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
}

export function isSameRate(one: Rate | undefined, other: Rate | undefined): boolean {
  return one?.count === other?.count && one?.seconds === other?.seconds;
}
