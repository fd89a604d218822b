import jwt from 'jsonwebtoken';
import { StaticHeaders, staticHeaders } from '../../../src/destinations/webhook/headers';
import { VERSION } from '../../../src/version';

function headersOf(
  own: Readonly<Record<string, string>> = {},
  url = 'https://r.example.test/',
): Map<string, string> {
  const flat = staticHeaders(own, new URL(url));
  const headers = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) headers.set(flat[index] ?? '', flat[index + 1] ?? '');
  expect(headers.size * 2).toBe(flat.length);
  return headers;
}

function claimsOf(headers: readonly string[]): jwt.JwtPayload {
  const [, token = ''] = (headers[headers.indexOf('authorization') + 1] ?? '').split(' ');
  return jwt.decode(token) as jwt.JwtPayload;
}

describe('the headers of a webhook', () => {
  test('say what is sent and who sends it', () => {
    expect([...headersOf()]).toEqual([
      ['accept', 'application/json, text/plain, */*'],
      ['content-type', 'application/json'],
      ['user-agent', `evolution-relay/${VERSION}`],
    ]);
  });

  test('the own headers are added, and replace those that are nobody else’s', () => {
    const headers = headersOf({ 'X-Instance': 'a', 'User-Agent': 'mine', Authorization: 'Bearer own' });
    expect(headers.get('x-instance')).toBe('a');
    expect(headers.get('user-agent')).toBe('mine');
    expect(headers.get('authorization')).toBe('Bearer own');
  });

  test.each([
    'webhook-id',
    'Webhook-Timestamp',
    'WEBHOOK-SIGNATURE',
    'x-evolution-relay-attempt',
    'content-length',
    'transfer-encoding',
    'connection',
    'expect',
  ])('%s belongs to the relay or the connection and cannot be set', (name) => {
    expect(headersOf({ [name]: 'mine' }).has(name.toLowerCase())).toBe(false);
  });

  test('jwt_key becomes a bearer token as in the core API, and is not sent itself', () => {
    const before = Math.floor(Date.now() / 1000);
    const headers = headersOf({ jwt_key: 's3cret' });
    const [scheme, token = ''] = (headers.get('authorization') ?? '').split(' ');
    expect(scheme).toBe('Bearer');
    const claims = jwt.verify(token, 's3cret', { algorithms: ['HS256'] });
    expect(claims).toMatchObject({ app: 'evolution', action: 'webhook' });
    const { iat = 0, exp = 0 } = claims as jwt.JwtPayload;
    expect(iat).toBeGreaterThanOrEqual(before);
    expect(exp - iat).toBe(600);
    expect([...headers.keys()]).not.toContain('jwt_key');
    expect(JSON.stringify([...headers])).not.toContain('s3cret');
  });

  test.each([
    ['while it lives', 290_000, false],
    ['when half of its life is over', 301_000, true],
    ['that begins in the future, as the clock was set back', -86_400_000, true],
  ])('a token %s: after %i ms another one: %s', (_when, ms, isAnother) => {
    jest.useFakeTimers();
    const url = new URL('https://r.example.test/');
    const headers = new StaticHeaders({ jwt_key: 's3cret' }, url);
    const first = headers.at(Date.now(), () => url);
    jest.setSystemTime(Date.now() + ms);
    const later = headers.at(Date.now(), () => url);
    expect(later.join() !== first.join()).toBe(isAnother);
    const { iat = 0, exp = 0 } = claimsOf(later);
    const now = Date.now() / 1000;
    expect([iat <= now, exp > now]).toEqual([true, true]);
    jest.useRealTimers();
  });

  test('user and password of the address become basic authorization, percent-decoded', () => {
    const authorization = headersOf({}, 'https://us%40er:p%3Aw%C3%A9@r.example.test/').get('authorization');
    expect(authorization).toBe(`Basic ${Buffer.from('us@er:p:wé').toString('base64')}`);
  });

  test('the address’s authorization wins over an own one and over a token, as in the core API', () => {
    const url = 'https://u:p@r.example.test/';
    for (const own of [{ authorization: 'Bearer own' }, { jwt_key: 'k' }])
      expect(headersOf(own, url).get('authorization')).toMatch(/^Basic /);
  });

  test('a Host is sent as it is set, and an empty one is none', () => {
    expect(headersOf({ Host: 'inner.test' }).get('host')).toBe('inner.test');
    expect(headersOf({ host: '' }).has('host')).toBe(false);
  });
});
