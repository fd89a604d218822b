/** Imported first by each of the model's tests: what of Node.js and of libraries does not fit virtual time or many runs. */

jest.mock('node:timers/promises', () => ({
  setTimeout: (ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        globalThis.clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = globalThis.setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    }),
}));

// A large one costs a millisecond to make, and each run makes several.
jest.mock('lru-cache', () => {
  const { LRUCache } = jest.requireActual<typeof import('lru-cache')>('lru-cache');
  return {
    LRUCache: class extends LRUCache<string, object> {
      constructor({ max, ...others }: { readonly max?: number; readonly maxSize?: number }) {
        super(max === undefined ? { maxSize: 100, ...others } : { max: Math.min(max, 100) });
      }
    },
  };
});

// Runs are short: two rejections are enough there, so that destinations come to reject everything and no longer do.
jest.mock('../../src/health/rejection-run', () => {
  const actual = jest.requireActual<typeof import('../../src/health/rejection-run')>(
    '../../src/health/rejection-run',
  );
  return {
    ...actual,
    isRejecting: ({ count }: import('../../src/health/rejection-run').RejectionRun) => count >= 2,
  };
});

export {};
