import { linkFault, linkUrl } from '../../../src/references/signed-link';

const SECRET = Buffer.alloc(32, 1);
const LINK = { id: 'dlv_1', expires: 1_800_000_000 };

function signatureOf(url: string): string {
  return new URL(url).searchParams.get('signature') ?? '';
}

describe('a link to a kept event', () => {
  const url = linkUrl({ baseUrl: 'https://relay.example.test/base/', path: 'events' }, LINK, SECRET);

  test('leads to the gateway, wherever that is mounted', () => {
    expect(url).toMatch(
      /^https:\/\/relay\.example\.test\/base\/events\/dlv_1\?expires=1800000000&signature=[\w-]{43}$/,
    );
    expect(linkUrl({ baseUrl: 'http://127.0.0.1:8090', path: 'events' }, LINK, SECRET)).toMatch(
      /^http:\/\/127\.0\.0\.1:8090\/events\/dlv_1\?/,
    );
  });

  test.each([
    ['as it came', LINK, SECRET, 1_799_999_999, undefined],
    ['in its last second', LINK, SECRET, 1_800_000_000, undefined],
    ['after it expired', LINK, SECRET, 1_800_000_001, 'expired'],
    ['for another event', { ...LINK, id: 'dlv_2' }, SECRET, 1, 'forged'],
    ['for longer', { ...LINK, expires: 1_900_000_000 }, SECRET, 1, 'forged'],
    ['of another relay', LINK, Buffer.alloc(32, 2), 1, 'forged'],
  ])('%s', (_what, link, secret, seconds, fault) => {
    expect(linkFault(link, signatureOf(url), secret, seconds * 1000)).toBe(fault);
  });

  test.each(['', 'x', 'ã'.repeat(43)])('with %j for a signature is forged', (signature) => {
    expect(linkFault(LINK, signature, SECRET, 1)).toBe('forged');
  });
});
