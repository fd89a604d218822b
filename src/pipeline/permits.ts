/**
 * What the attempts of a destination with a rate limit need, one each. Permits that are missing are asked for where
 * somebody wants to know whether there are any.
 */
export interface Permits {
  /** Whether a fresh delivery may begin. */
  readonly isFree: boolean;
  /** The same for a retry: some are kept for those that wait. */
  readonly isFreeForRetry: boolean;
  /** How many retries may begin, or wait for a permit (`forRetry`). */
  readonly forRetries: number;
  /** How many of those may begin at once. */
  readonly readyForRetries: number;
  /** Milliseconds until a retry may wait for a permit; 0 where one may now. */
  readonly noneForRetriesMs: number;
  /** An attempt begins. */
  take(isRetry: boolean): void;
  /** About how long a delivery waits for a permit where this many want one, itself included. */
  waitMs(wanted: number): number;
  /** Resolves to whether a retry may begin: soon, or not at all. */
  forRetry(): Promise<boolean>;
  close(): void;
}
