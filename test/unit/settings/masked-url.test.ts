import fc from 'fast-check';
import { MASK, maskedUrl, unmaskedUrl } from '../../../src/settings/masked-url';

describe('addresses as they are shown', () => {
  it.each([
    ['https://a.test/hook', 'https://a.test/hook'],
    ['https://a.test/hook?token=abc&x=', `https://a.test/hook?token=${MASK}&x=`],
    ['https://a.test/?abc', `https://a.test/?${MASK}`],
    ['https://user:pass@a.test:8443/p', `https://${MASK}:${MASK}@a.test:8443/p`],
    ['https://key@a.test', `https://${MASK}@a.test`],
    ['https://a.test/p?q=a?b#frag', `https://a.test/p?q=${MASK}#${MASK}`],
    ['https://[::1]:80/p?t=1&t=2', `https://[::1]:80/p?t=${MASK}&t=${MASK}`],
  ])('%s is shown as %s (finding 5.4)', (url, shown) => {
    expect(maskedUrl(url)).toBe(shown);
    expect(unmaskedUrl(shown, url)).toBe(url);
  });

  it.each([
    ['another host', `https://b.test/hook?token=${MASK}`],
    ['another path', `https://a.test/other?token=${MASK}`],
    ['another scheme', `http://a.test/hook?token=${MASK}`],
    ['another port', `https://a.test:444/hook?token=${MASK}`],
    ['another name', `https://a.test/hook?other=${MASK}`],
    ['a user where there was none', `https://${MASK}@a.test/hook`],
  ])('a mask at %s stands for nothing (finding 5.4)', (_what, given) => {
    expect(unmaskedUrl(given, 'https://a.test/hook?token=abc')).toBe(given);
  });

  it('other parts may change beside a mask', () => {
    expect(unmaskedUrl(`https://a.test/hook?x=new&token=${MASK}`, 'https://a.test/hook?token=abc')).toBe(
      'https://a.test/hook?x=new&token=abc',
    );
  });

  it('what is shown can be set back, and gives nothing away', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const secret = fc.stringMatching(/^S[A-Z0-9]{5,9}$/);
    const query = fc.array(fc.tuple(word, secret), { maxLength: 4 });
    const user = fc.option(fc.tuple(secret, secret), { nil: undefined });
    fc.assert(
      fc.property(word, word, query, user, (host, path, params, access) => {
        const login = access === undefined ? '' : `${access[0]}:${access[1]}@`;
        const search = params.map(([name, value]) => `${name}=${value}`).join('&');
        const url = `https://${login}${host}.test/${path}${search === '' ? '' : `?${search}`}`;
        const shown = maskedUrl(url);
        expect(unmaskedUrl(shown, url)).toBe(url);
        for (const each of [...params.map(([, value]) => value), ...(access ?? [])]) {
          expect(shown).not.toContain(each);
        }
      }),
    );
  });
});
