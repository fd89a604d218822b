import fc from 'fast-check';
import { outcomeOfAnswer, outcomeOfError, parseRetryAfter } from '../../../src/destinations/http/answer';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);
const REJECTED = new Set([400, 401, 403, 404, 422]);

describe('Retry-After', () => {
  test.each([
    ['0', 0],
    ['5', 5000],
    [' 120 ', 120_000],
    ['999999999', 999_999_999_000],
    ['Thu, 01 Jan 2026 12:01:00 GMT', 60_000],
    ['Thursday, 01-Jan-26 12:01:00 GMT', 60_000],
    ['Thu Jan  1 12:01:00 2026', 60_000],
    ['Thu, 01 Jan 2026 11:59:00 GMT', 0],
  ])('%j is %d ms', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  test.each([undefined, '', ' ', '-1', '1.5', '1e3', '0x10', '2026-01-01', '12:00', 'soon', '99999999999'])(
    '%j is not one',
    (value) => {
      expect(parseRetryAfter(value, NOW)).toBeUndefined();
    },
  );

  test('any number of seconds, and any date to the second, is understood', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.integer({ min: -1e6, max: 1e8 }), (seconds, offset) => {
        expect(parseRetryAfter(String(seconds), NOW)).toBe(seconds * 1000);
        const date = new Date(NOW + offset * 1000).toUTCString();
        expect(parseRetryAfter(date, NOW)).toBe(Math.max(0, offset * 1000));
      }),
    );
  });

  test('any text at all is a time that is not negative, or none', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(parseRetryAfter(value, NOW) ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('an answer', () => {
  test('with 2xx is success, with a configured status never worth a retry, with any other a failure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), (status) => {
        const expected = status < 300 ? 'delivered' : REJECTED.has(status) ? 'rejected' : 'failed';
        expect(outcomeOfAnswer(status, REJECTED, 'text', undefined, NOW)).toMatchObject({
          kind: expected,
          status,
        });
      }),
    );
  });

  test.each([
    ['failed', REJECTED],
    ['rejected', new Set([410])],
  ])('410 says that the destination is gone, where it is %s', (kind, rejected) => {
    expect(outcomeOfAnswer(410, rejected, '', undefined, NOW)).toMatchObject({ kind, gone: true });
  });

  test('keeps its first words and what it asks for', () => {
    expect(outcomeOfAnswer(503, REJECTED, 'busy', '7', NOW)).toEqual({
      kind: 'failed',
      code: 'HTTP_503',
      status: 503,
      answer: 'busy',
      retryAfterMs: 7000,
      overloaded: true,
    });
    expect(outcomeOfAnswer(404, REJECTED, 'who?', '7', NOW)).toEqual({
      kind: 'rejected',
      code: 'HTTP_404',
      status: 404,
      answer: 'who?',
    });
  });
});

describe('a request without an answer', () => {
  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EADDRNOTAVAIL',
    'EHOSTUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
    'CERT_HAS_EXPIRED',
  ])('%s says something about the destination: an attempt is spent', (code) => {
    expect(outcomeOfError(Object.assign(new Error('no'), { code }))).toMatchObject({ kind: 'failed', code });
  });

  test.each(['RESOLVER_DOWN', 'EMFILE', 'ENFILE', 'ENETDOWN'])(
    '%s says something about this machine: no attempt is spent',
    (code) => {
      expect(outcomeOfError(Object.assign(new Error('no'), { code }))).toEqual({ kind: 'interrupted', code });
    },
  );

  test('several addresses that all failed: the first speaks for all', () => {
    const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    expect(outcomeOfError(new AggregateError([refused]))).toEqual({
      kind: 'failed',
      code: 'ECONNREFUSED',
      overloaded: true,
    });
    expect(outcomeOfError(Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' }))).toEqual({
      kind: 'failed',
      code: 'ECONNREFUSED',
      overloaded: true,
    });
  });

  test('whatever is thrown has a code', () => {
    for (const thrown of [new TypeError('no'), 'text', undefined, new AggregateError([])]) {
      expect(outcomeOfError(thrown)).toMatchObject({ kind: 'failed', code: expect.stringMatching(/./) });
    }
  });
});
