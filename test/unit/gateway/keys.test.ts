import { HttpError } from '../../../src/gateway/http-errors';
import { digest, Keys } from '../../../src/gateway/keys';
import { turns } from '../../support/signals';

// Jest's fake time does not reach this module.
jest.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

const TOKENS: Readonly<Record<string, string>> = { loja: 'token-of-loja', other: 'token-of-other' };

const create = (): Keys =>
  new Keys({
    apiKey: 'operator',
    tokenDigestOf: async (instance) => {
      const token = TOKENS[instance];
      return token === undefined ? undefined : digest(token);
    },
  });

const statusOf = async (check: Promise<unknown>): Promise<number> => {
  try {
    await check;
    return 200;
  } catch (error) {
    return error instanceof HttpError ? error.status : 500;
  }
};

describe('what a key opens', () => {
  test.each([
    ['operator', undefined, 200],
    ['operator', 'loja', 200],
    ['operator', 'unknown', 200],
    ['token-of-loja', 'loja', 200],
    ['token-of-loja', undefined, 401],
    ['token-of-loja', 'other', 401],
    ['token-of-loja', 'unknown', 401],
    ['', undefined, 401],
    ['', 'unknown', 401],
    [undefined, 'loja', 401],
    ['Operator', undefined, 401],
    ['operator ', undefined, 401],
  ])('%j for instance %j: %d', async (key, instance, status) => {
    expect(await statusOf(create().check('1.2.3.4', key, instance))).toBe(status);
  });

  test('an instance without a token has none that could be guessed', async () => {
    const keys = new Keys({ apiKey: 'operator', tokenDigestOf: async () => undefined });
    for (const key of ['', 'undefined', 'null'])
      expect(await statusOf(keys.check('a', key, 'loja'))).toBe(401);
  });

  test('that settings cannot be read is told as it is, not as a wrong key', async () => {
    const away = new Error('away');
    const keys = new Keys({ apiKey: 'operator', tokenDigestOf: () => Promise.reject(away) });
    await expect(keys.check('a', 'token', 'loja')).rejects.toBe(away);
    expect(await keys.check('a', 'operator', 'loja')).toBe('all');
  });
});

describe('guessing', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** How many of these were answered so far, by status. */
  function watch(checks: readonly Promise<unknown>[]): Map<number, number> {
    const answered = new Map<number, number>();
    for (const check of checks) {
      void statusOf(check).then((status) => answered.set(status, (answered.get(status) ?? 0) + 1));
    }
    return answered;
  }
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const guesses = (keys: Keys, count: number, address = '1.2.3.4'): Promise<unknown>[] =>
    Array.from({ length: count }, (_, index) => keys.check(address, `guess ${index}`));

  test('ten wrong keys cost nothing; after them an address gets four answers a second', async () => {
    const keys = create();
    for (const guess of guesses(keys, 10)) expect(await statusOf(guess)).toBe(401);
    const answered = watch(guesses(keys, 12));
    await settle();
    expect(answered.get(401)).toBe(1);
    await jest.advanceTimersByTimeAsync(1000);
    expect(answered.get(401)).toBe(5);
    await jest.advanceTimersByTimeAsync(1000);
    expect(answered.get(401)).toBe(9);
  });

  test('however many connections: beyond five seconds of waiting it is told to come later', async () => {
    const keys = create();
    for (const guess of guesses(keys, 10)) await statusOf(guess);
    const answered = watch(guesses(keys, 100));
    await settle();
    expect(answered.get(429)).toBeGreaterThan(70);
    await jest.advanceTimersByTimeAsync(6000);
    expect((answered.get(401) ?? 0) + (answered.get(429) ?? 0)).toBe(100);
    const more = guesses(keys, 50);
    watch(more);
    await expect(Promise.all(more.slice(40))).rejects.toMatchObject({ status: 429, retryAfterSeconds: 5 });
    await jest.advanceTimersByTimeAsync(20_000);
  });

  test('another address does not wait for it', async () => {
    const keys = create();
    for (const guess of guesses(keys, 10)) await statusOf(guess);
    watch(guesses(keys, 100));
    expect(await keys.check('5.6.7.8', 'operator')).toBe('all');
    await jest.advanceTimersByTimeAsync(20_000);
  });

  test('who was let in before is not locked out by others of the same address', async () => {
    const keys = create();
    expect(await keys.check('1.2.3.4', 'operator')).toBe('all');
    expect(await keys.check('1.2.3.4', 'token-of-loja', 'loja')).toBe('instance');
    for (const guess of guesses(keys, 10)) await statusOf(guess);
    watch(guesses(keys, 100));
    await settle();
    expect(await keys.check('1.2.3.4', 'operator')).toBe('all');
    expect(await keys.check('1.2.3.4', 'token-of-loja', 'loja')).toBe('instance');
    await jest.advanceTimersByTimeAsync(20_000);
  });

  test('a right key after wrong ones has its turn as well, and a minute later nothing is remembered', async () => {
    const keys = create();
    for (const guess of guesses(keys, 11)) watch([guess]);
    await jest.advanceTimersByTimeAsync(1000);
    const right = watch([keys.check('1.2.3.4', 'operator')]);
    await jest.advanceTimersByTimeAsync(500);
    expect(right.get(200)).toBe(1);
    await jest.advanceTimersByTimeAsync(61_000);
    const later = watch(guesses(keys, 5));
    await settle();
    expect(later.get(401)).toBe(5);
  });
});

test('a key that is revoked no longer opens', async () => {
  let token: string | undefined = 'token-of-loja';
  const keys = new Keys({
    apiKey: 'operator',
    tokenDigestOf: async () => (token === undefined ? undefined : digest(token)),
  });
  expect(await keys.opens('token-of-loja', 'loja')).toBe(true);
  token = undefined;
  await turns();
  expect(await keys.opens('token-of-loja', 'loja')).toBe(false);
  expect(await keys.opens(undefined, 'loja')).toBe(false);
  expect(await keys.opens('operator', 'loja')).toBe(true);
});
