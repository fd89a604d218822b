/** What has a lane of its own at an ordered destination. */
export type Ordered = 'instance' | 'chat';

/** What was set for one destination, beside what the operator sets for all of them. */
export interface Limits {
  /** Deliveries arrive in their order, those of each lane; left out where they may overtake each other. */
  readonly ordered?: Ordered;
  /** Attempts at once by each worker, in requests; no more than the operator's. */
  readonly concurrency?: number;
}
