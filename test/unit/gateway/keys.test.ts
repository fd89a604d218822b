import { HttpError } from '../../../src/http-api/http-errors';
import { digest, Keys } from '../../../src/http-api/keys';
import { turns } from '../../support/signals/signals';

// Jest's fake time does not reach this module.
jest.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

const TOKENS: Readonly<Record<string, string>> = { loja: 'token-of-loja', other: 'token-of-other' };

const digestOf = (token: string | undefined) => (token === undefined ? undefined : digest(token));

const create = (): Keys =>
  new Keys({
    apiKey: 'operator',
    tokenDigestOf: (instance) => digestOf(TOKENS[instance]),
    now: Date.now,
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
    const keys = new Keys({ apiKey: 'operator', tokenDigestOf: () => undefined });
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
  const guesses = (
    keys: Keys,
    count: number,
    addressOf = (_index: number) => '1.2.3.4',
  ): Promise<unknown>[] =>
    Array.from({ length: count }, (_, index) => keys.check(addressOf(index), `guess ${index}`, 'loja'));

  test('ten wrong keys cost nothing; after them an address gets four answers a second', async () => {
    const answered = watch(guesses(create(), 22));
    await settle();
    expect(answered.get(401)).toBe(10);
    await jest.advanceTimersByTimeAsync(1000);
    expect(answered.get(401)).toBe(14);
    await jest.advanceTimersByTimeAsync(1000);
    expect(answered.get(401)).toBe(18);
    await jest.advanceTimersByTimeAsync(20_000);
  });

  test('a wrong key beyond five seconds of waiting is refused at once, and uses up no turn', async () => {
    const keys = create();
    const answered = watch(guesses(keys, 200));
    await settle();
    expect(answered).toEqual(
      new Map([
        [401, 10],
        [429, 170],
      ]),
    );
    await expect(keys.check('1.2.3.4', 'x')).rejects.toMatchObject({ status: 429, retryAfterSeconds: 5 });
    await jest.advanceTimersByTimeAsync(6000);
    expect(answered.get(401)).toBe(30);
  });

  test('the right key is answered at once whatever others guess behind its address (finding 5.1)', async () => {
    const keys = create();
    watch(guesses(keys, 500));
    await settle();
    const right = watch([
      keys.check('1.2.3.4', 'operator'),
      keys.check('1.2.3.4', 'operator', 'loja'),
      keys.check('1.2.3.4', 'token-of-loja', 'loja'),
      keys.check('5.6.7.8', 'token-of-other', 'other'),
    ]);
    await settle();
    expect(right).toEqual(new Map([[200, 4]]));
    await jest.advanceTimersByTimeAsync(20_000);
  });

  test('all addresses of an IPv6 /64 share their turns (finding 5.1)', async () => {
    const answered = watch(guesses(create(), 100, (index) => `2001:db8:1:2:${index.toString(16)}::1`));
    await settle();
    expect(answered.get(401)).toBe(10);
    await jest.advanceTimersByTimeAsync(1000);
    expect(answered.get(401)).toBe(14);
    await jest.advanceTimersByTimeAsync(20_000);
  });

  test('guesses from thousands of addresses are slowed down in all (finding 5.1)', async () => {
    const answered = watch(guesses(create(), 2000, (index) => `10.0.${index >> 8}.${index & 255}`));
    await settle();
    expect(answered.get(401)).toBe(200);
    await jest.advanceTimersByTimeAsync(1000);
    expect(answered.get(401)).toBeLessThanOrEqual(250);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(answered.get(401)).toBeLessThanOrEqual(456);
  });

  test('another address does not wait for it, and turns grow back', async () => {
    const keys = create();
    watch(guesses(keys, 100));
    const other = watch(guesses(keys, 10, () => '5.6.7.8'));
    await settle();
    expect(other.get(401)).toBe(10);
    await jest.advanceTimersByTimeAsync(61_000);
    const later = watch(guesses(keys, 10));
    await settle();
    expect(later.get(401)).toBe(10);
  });

  test('no key is no guess: it is refused at once, and slows nobody down', async () => {
    const keys = create();
    const none = watch(Array.from({ length: 1000 }, () => keys.check('1.2.3.4', undefined, 'loja')));
    await settle();
    expect(none).toEqual(new Map([[401, 1000]]));
    const answered = watch(guesses(keys, 10));
    await settle();
    expect(answered.get(401)).toBe(10);
  });

  test('while tokens cannot be read, guesses at the operator’s key are slowed down as well', async () => {
    const away = new Error('away');
    const keys = new Keys({ apiKey: 'operator', tokenDigestOf: () => Promise.reject(away), now: Date.now });
    const answered = watch(guesses(keys, 100));
    await settle();
    expect(answered.get(500)).toBe(10);
    expect(answered.get(429)).toBe(70);
    await jest.advanceTimersByTimeAsync(20_000);
  });
});

test('a key that is revoked no longer opens', async () => {
  let token: string | undefined = 'token-of-loja';
  const keys = new Keys({
    apiKey: 'operator',
    tokenDigestOf: () => digestOf(token),
  });
  expect(await keys.opens('token-of-loja', 'loja')).toBe(true);
  token = undefined;
  await turns();
  expect(await keys.opens('token-of-loja', 'loja')).toBe(false);
  expect(await keys.opens(undefined, 'loja')).toBe(false);
  expect(await keys.opens('operator', 'loja')).toBe(true);
});
