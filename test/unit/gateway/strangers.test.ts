import {
  fullAnswer,
  tenantsAnswer,
  UNREACHABLE_ANSWER,
} from '../../../src/destinations/webhook/webhook-test-answer';
import { isDeeperThan } from '../../../src/gateway/json-depth';
import { isExpectedHost, isTrustedPage, needsNoKey } from '../../../src/http-api/origins';
import type { AttemptRecord, Outcome } from '../../../src/pipeline/delivery';

describe('the depth of JSON', () => {
  it.each([
    ['5', 0],
    ['[1,[2],{"a":[3]}]', 3],
    [`{"a":"[[[[{{{{","b":"\\"[["}`, 1],
    ['[]'.repeat(1), 1],
    ['[],[],[]', 1],
  ])('of %s is %d', (json, depth) => {
    expect(isDeeperThan(json, depth)).toBe(false);
    expect(isDeeperThan(json, depth - 1)).toBe(depth > 0);
  });

  it('is found without parsing (finding 4.7)', () => {
    expect(isDeeperThan('['.repeat(1_000_000), 64)).toBe(true);
    expect(isDeeperThan(`{"a":`.repeat(100_000), 64)).toBe(true);
  });
});

describe('pages that may use what their visitor has (finding 5.2)', () => {
  const rules = { origins: ['*', 'https://panel.example.com'], publicUrl: 'https://relay.example.com' };

  it.each([
    [undefined, 'relay.example.com', true],
    ['https://panel.example.com', 'relay.example.com', true],
    ['https://relay.example.com', 'relay.example.com', true],
    ['http://relay.example.com:8090', 'relay.example.com:8090', true],
    ['http://relay.example.com:8090', 'relay.example.com', false],
    ['https://evil.example', 'relay.example.com', false],
    ['https://panel.example.com.evil.example', 'relay.example.com', false],
    ['null', 'relay.example.com', false],
    ['null', undefined, false],
    ['', '', false],
    ['*', 'relay.example.com', false],
  ])('a page of %s at host %s: %s', (origin, host, is) =>
    expect(isTrustedPage({ origin, host }, rules)).toBe(is),
  );

  it.each([
    ['127.0.0.1:8090', true],
    ['[::1]:8090', true],
    ['localhost', true],
    ['gateway:8090', true],
    ['relay.example.com', true],
    ['relay.example.com:443', true],
    ['evil.example', false],
    ['127.0.0.1.nip.io', false],
    ['a b', false],
    [undefined, false],
  ])('host %s is expected: %s', (host, is) => expect(isExpectedHost(host, rules)).toBe(is));

  it.each([
    ['127.0.0.1', {}, false],
    ['127.0.0.1', { host: 'localhost:8090' }, true],
    ['127.0.0.1', { host: 'localhost:8090', origin: 'https://evil.example' }, false],
    ['127.0.0.1', { host: 'evil.example', origin: 'http://evil.example' }, false],
    ['127.0.0.1', { host: 'localhost:8090', origin: 'https://panel.example.com' }, true],
    ['10.0.0.1', { host: 'localhost:8090' }, false],
  ])('a client of %s with %j needs no key: %s', (address, headers, is) => {
    expect(needsNoKey(address, headers, { ...rules, allowedHosts: ['127.0.0.1'] })).toBe(is);
  });

  it('* opens to all; where CORS_ORIGIN lists pages, to those alone', () => {
    const page = { host: 'relay.example.com', origin: 'https://evil.example' };
    expect(needsNoKey('8.8.8.8', page, { ...rules, allowedHosts: ['*'] })).toBe(true);
    expect(needsNoKey('8.8.8.8', page, { ...rules, origins: [], allowedHosts: ['*'] })).toBe(false);
    expect(needsNoKey('8.8.8.8', { host: 'x' }, { ...rules, origins: [], allowedHosts: ['*'] })).toBe(true);
  });
});

describe('what a tenant is told of a test (finding 5.3)', () => {
  const record = (outcome: Outcome): AttemptRecord => ({ attempt: 1, at: 0, durationMs: 12, outcome });

  it.each<Outcome>([
    {
      kind: 'failed',
      code: 'ADDRESS_REFUSED',
      answer: 'db.internal leads to 10.1.2.3, which is a private address',
    },
    { kind: 'failed', code: 'ENOTFOUND' },
    { kind: 'interrupted', code: 'EAI_AGAIN' },
    { kind: 'failed', code: 'ENODATA' },
    { kind: 'failed', code: 'ESERVFAIL' },
    { kind: 'interrupted', code: 'PROXY_UNREACHABLE' },
    { kind: 'failed', code: 'UNKNOWN' },
  ])('%j is one and the same', (outcome) => {
    expect(tenantsAnswer(record(outcome))).toBe(UNREACHABLE_ANSWER);
    expect(fullAnswer(record(outcome))).toMatchObject({ code: 'code' in outcome && outcome.code });
  });

  it.each<Outcome>([
    { kind: 'delivered', status: 200 },
    { kind: 'rejected', code: 'HTTP_404', status: 404, answer: 'no' },
    { kind: 'failed', code: 'TIMEOUT' },
    { kind: 'failed', code: 'ECONNREFUSED' },
    { kind: 'failed', code: 'CERT_HAS_EXPIRED' },
    { kind: 'failed', code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    { kind: 'failed', code: 'UND_ERR_SOCKET' },
  ])('%j is about the receiver, and told', (outcome) => {
    expect(tenantsAnswer(record(outcome))).toEqual(fullAnswer(record(outcome)));
  });
});
