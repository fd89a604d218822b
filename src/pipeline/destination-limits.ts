/** What was set for one destination, beside what the operator sets for all of them. */
export interface Limits {
  /** Attempts at once by each worker, in requests; no more than the operator's. */
  readonly concurrency?: number;
}
