/** What a worker took that is gone, or that never heard of it, is free again after this: its lock, and two checks for such jobs. */
export const STALLED_MS = 27_000;

/** How the model's workers are set up: small enough that a run of a few commands comes to every limit. */
export const LIMITS = {
  prefetch: 6,
  /** Attempts whose source message is held; slow ones have a pool of the same size. */
  concurrency: 4,
  perDestination: 2,
  /** Of the places: an instance has one, all of them together three, and each global destination one. */
  maxShare: 0.25,
  retries: 4,
  /** Of events under way. Each holds its body twice; one has about 240 bytes. */
  maxBytes: 3000,
  maxRetryBytes: 8000,
  slowAfterMs: 200,
  circuitFailures: 2,
  circuitOpenMs: 2000,
  suspendAfterMs: 12_000,
  shutdownMs: 5000,
  orderedMaxAgeMs: 10_000,
  policy: { initialDelayMs: 500, maxDelayMs: 4000, exponential: true, jitter: 0.2 },
} as const;
