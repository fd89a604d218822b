import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { ConfigError } from '../../../src/errors';
import { AddressGuard, isNetwork } from '../../../src/network/address-guard';

/** The IANA special-purpose registries (RFC 6890) as of 2025-10, multicast, and what else leads inside. */
const SPECIAL_V4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.0.0/29', '192.0.0.8/32', '192.0.0.9/32', '192.0.0.10/32', '192.0.0.170/31'],
  ...['192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['255.255.255.255/32', '168.63.129.16/32'],
];
const SPECIAL_V6 = [
  ...['::/128', '::1/128', '::/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64'],
  ...['100:0:0:1::/64', '2001::/23', '2001::/32', '2001:1::1/128', '2001:1::2/128', '2001:1::3/128'],
  ...['2001:2::/48', '2001:3::/32', '2001:4:112::/48', '2001:10::/28', '2001:20::/28', '2001:30::/28'],
  ...['2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10'],
  // Never given out as unicast, and multicast.
  ...['fec0::/10', 'ff00::/8', '::/3', '4000::/2', '8000::/1'],
];

interface Range {
  readonly start: bigint;
  readonly bits: number;
  readonly width: number;
}

/** Reads addresses without the library of the guard. */
function numberOf(address: string): bigint {
  if (!address.includes(':'))
    return BigInt(new DataView(Uint8Array.from(address.split('.').map(Number)).buffer).getUint32(0));
  const [head = '', tail] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array(8 - head.length - (tail?.length ?? 0)).fill('0');
  const groups = [...head, ...(tail === undefined ? [] : [...zeros, ...tail])];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function rangeOf(cidr: string): Range {
  const [base = '', bits] = cidr.split('/');
  return { start: numberOf(base), bits: Number(bits), width: base.includes(':') ? 128 : 32 };
}

function isInside(address: bigint, { start, bits, width }: Range): boolean {
  return address >> BigInt(width - bits) === start >> BigInt(width - bits);
}

const V4 = SPECIAL_V4.map(rangeOf);
const V6 = SPECIAL_V6.map(rangeOf);

function inRange({ start, bits, width }: Range): fc.Arbitrary<bigint> {
  const last = (1n << BigInt(width - bits)) - 1n;
  return fc
    .oneof(fc.constantFrom(0n, last), fc.bigInt({ min: 0n, max: last }))
    .map((offset) => start + offset);
}

const specialV4 = fc.constantFrom(...V4).chain(inRange);
const specialV6 = fc.constantFrom(...V6).chain(inRange);
const publicV4 = fc
  .bigInt({ min: 0n, max: 0xffff_ffffn })
  .filter((address) => !V4.some((range) => isInside(address, range)));
const publicV6 = inRange(rangeOf('2000::/3')).filter(
  (address) => !V6.some((range) => isInside(address, range)),
);

function dotted(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.');
}

function groups(address: bigint): string[] {
  return [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((address >> shift) & 0xffffn).toString(16));
}

/** All that a URL may have in the place of an IPv4 address: one to four parts, each in one of three bases. */
const spelling = fc.record({
  parts: fc.integer({ min: 1, max: 4 }),
  bases: fc.array(fc.constantFrom('10', '8', '16', 'X'), { minLength: 4, maxLength: 4 }),
  dot: fc.constantFrom('', '.'),
});

function spellV4(
  address: bigint,
  { parts, bases, dot }: { parts: number; bases: string[]; dot: string },
): string {
  const values = [24n, 16n, 8n].slice(0, parts - 1).map((shift) => (address >> shift) & 255n);
  values.push(address & ((1n << BigInt(8 * (5 - parts))) - 1n));
  const texts = values.map((value, index) => {
    if (bases[index] === '8') return `0${value.toString(8)}`;
    return bases[index] === '10'
      ? String(value)
      : `0${bases[index] === 'X' ? 'X' : 'x'}${value.toString(16)}`;
  });
  return texts.join('.') + dot;
}

/** Full, padded, in capitals, with `::` in the place of zeros, and with its end in dots. */
function spellingsV6(address: bigint): string[] {
  const full = groups(address).join(':');
  const padded = groups(address).map((group) => group.padStart(4, '0'));
  const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
  const mixed = `${groups(address).slice(0, 6).join(':')}:${dotted(address)}`;
  const end = dotted(address);
  const compressed = address >> 32n === 0n ? [`::${end}`] : [];
  return [full, padded.join(':'), full.toUpperCase(), short, mixed, ...compressed];
}

const guard = new AddressGuard([]);

/** The forms of IPv6 that carry an IPv4 address. */
const CARRIERS: readonly (readonly [name: string, carry: (v4: bigint) => bigint])[] = [
  ['IPv4-compatible', (v4) => v4],
  ['translated', (v4) => numberOf('::ffff:0:0:0') | v4],
  ['NAT64', (v4) => numberOf('64:ff9b::') | v4],
  ['local NAT64', (v4) => numberOf('64:ff9b:1::') | v4],
  ['6to4', (v4) => numberOf('2002::') | (v4 << 80n) | 1n],
  ['Teredo', (v4) => numberOf('2001:0:4136:e378:8000:63bf::') | (v4 ^ 0xffff_ffffn)],
];

describe('what is refused as an address', () => {
  test.each(SPECIAL_V4)('all of %s, mapped too, in any spelling of a URL', (cidr) => {
    fc.assert(
      fc.property(inRange(rangeOf(cidr)), spelling, (address, how) => {
        const mapped = (0xffffn << 32n) | address;
        for (const text of [dotted(address), ...spellingsV6(mapped), `::ffff:${dotted(address)}`])
          expect(guard.refusal(text)).toContain(`WEBHOOK_ALLOWED_NETWORKS=${dotted(address)}/32`);
        expect(guard.checkUrl(`http://${spellV4(address, how)}:8080/x`)).toContain('leads inside');
        expect(guard.checkUrl(`https://[${groups(mapped).join(':')}]/`)).toContain('leads inside');
      }),
    );
  });

  test.each(SPECIAL_V6)('all of %s, in any spelling', (cidr) => {
    fc.assert(
      fc.property(
        inRange(rangeOf(cidr)).filter((address) => address >> 32n !== 0xffffn),
        (address) => {
          for (const text of spellingsV6(address)) {
            expect(isIPv6(text)).toBe(true);
            expect(guard.refusal(text)).toContain('WEBHOOK_ALLOWED_NETWORKS=');
            expect(guard.checkUrl(`http://[${text}]/`)).toContain('leads inside');
          }
          expect(guard.refusal(`${groups(address).join(':')}%br-0.1`)).toBeDefined();
        },
      ),
    );
  });

  test('nothing else: global unicast passes in any spelling, mapped too', () => {
    fc.assert(
      fc.property(publicV4, publicV6, spelling, (v4, v6, how) => {
        const mapped = (0xffffn << 32n) | v4;
        for (const text of [dotted(v4), ...spellingsV6(mapped), ...spellingsV6(v6)])
          expect(guard.refusal(text)).toBeUndefined();
        expect(guard.checkUrl(`http://${spellV4(v4, how)}/`)).toBeUndefined();
        expect(guard.checkUrl(`https://[${groups(v6).join(':')}]/`)).toBeUndefined();
      }),
    );
  });

  test('says why, and what would allow it', () => {
    expect(guard.refusal('10.0.0.5')).toBe(
      '10.0.0.5 is a private address; WEBHOOK_ALLOWED_NETWORKS=10.0.0.5/32 would allow it',
    );
    expect(guard.refusal('64:ff9b::10.0.0.5')).toBe(
      '64:ff9b::10.0.0.5 is a NAT64 address of 10.0.0.5, a private address; ' +
        'WEBHOOK_ALLOWED_NETWORKS=64:ff9b::a00:5/128,10.0.0.5/32 would allow it',
    );
    expect(new AddressGuard(['10.0.0.0/8']).refusal('172.18.0.3')).toBe(
      '172.18.0.3 is a private address; 172.18.0.3/32 in WEBHOOK_ALLOWED_NETWORKS would allow it',
    );
  });

  test.each(['', 'n8n', '127.1', '0177.0.0.1', '2130706433', '8.8.8.8.', '[::1]', '1.2.3.4/8', ':::', '%'])(
    '%j, which is no address',
    (text) => {
      expect(guard.refusal(text)).toBe(`${text} is no IP address`);
    },
  );
});

describe('WEBHOOK_ALLOWED_NETWORKS', () => {
  test('the remedy of a refusal is one: it opens that address', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          specialV4.map(dotted),
          specialV6.map((v6) => groups(v6).join(':')),
        ),
        (address) => {
          const [, networks = ''] = /WEBHOOK_ALLOWED_NETWORKS=(\S+)/.exec(guard.refusal(address) ?? '') ?? [];
          expect(new AddressGuard(networks.split(',')).refusal(address)).toBeUndefined();
        },
      ),
    );
  });

  test('opens what is in the network, its mapped form too, and nothing beside it', () => {
    const open = new AddressGuard(['172.18.0.0/16', 'fd00:1::/32', '::ffff:10.1.0.0/112', '192.168.7.7']);
    for (const address of ['172.18.0.1', '::ffff:172.18.255.255', 'fd00:1::9', '10.1.2.3', '192.168.7.7'])
      expect(open.refusal(address)).toBeUndefined();
    for (const address of ['172.17.255.255', '172.19.0.0', 'fd00:2::9', '10.2.0.0', '192.168.7.8', '::1'])
      expect(open.refusal(address)).toBeDefined();
    expect(open.checkUrl('http://172.18.0.4:5678/webhook')).toBeUndefined();
  });

  test.each(CARRIERS)('opens %s addresses only where their IPv4 address may be reached too', (_, carry) => {
    const all6 = new AddressGuard(['::/0']);
    const all = new AddressGuard(['::/0', '10.0.0.0/8']);
    const only4 = new AddressGuard(['10.0.0.0/8']);
    const at = (v4: string) => groups(carry(numberOf(v4))).join(':');
    expect(all6.refusal(at('8.8.8.8'))).toBeUndefined();
    expect(all6.refusal(at('10.0.0.5'))).toContain('of 10.0.0.5, a private address; 10.0.0.5/32 in');
    expect(all.refusal(at('10.0.0.5'))).toBeUndefined();
    expect(all.refusal(at('127.0.0.1'))).toBeDefined();
    expect(only4.refusal(at('10.0.0.5'))).toBeDefined();
  });

  test.each(['10.0.0.0/8', '10.0.0.5', '0.0.0.0/0', '::/0', '::1', 'fd00::/8', '::ffff:10.0.0.0/104'])(
    '%j is a network',
    (text) => {
      expect(isNetwork(text)).toBe(true);
    },
  );

  // ipaddr.js takes 10/8 for 0.0.0.10/8, and 010.0.0.0 for 8.0.0.0.
  test.each([
    '',
    '/',
    '10/8',
    '010.0.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'n8n',
    ' ::1',
    'fe80::1%eth0',
    '::ffff:0:0/95',
    '*',
  ])('%j is none', (text) => {
    expect(isNetwork(text)).toBe(false);
    expect(() => new AddressGuard(['10.0.0.0/8', text])).toThrow(ConfigError);
  });
});

describe('the URL of a webhook', () => {
  test.each([
    ['http://localhost/', 'localhost is a loopback name'],
    ['http://LOCALHOST.:3000/', 'loopback name'],
    ['http://n8n.localhost/', 'loopback name'],
    ['http://n8n。ｌｏｃａｌｈｏｓｔ./', 'loopback name'],
    ['http://①②⑦.0.0.1/', '127.0.0.1 is a loopback address'],
    ['http://%31%32%37.0.0.1/', '127.0.0.1 is a loopback address'],
    ['http:127.1', '127.0.0.1 is a loopback address'],
    ['http://8.8.8.8\\@127.0.0.1/', undefined],
    ['http://169.254.169.254/latest/meta-data/', 'link-local'],
    ['http://user@example.com/', undefined],
    ['http://:pass@example.com/', undefined],
    ['http://8.8.8.8@127.0.0.1/', '127.0.0.1 is a loopback address'],
    ['ftp://example.com/', 'must start with http:// or https://'],
    ['file:///etc/passwd', 'must start with http:// or https://'],
    ['http+unix://%2Fvar%2Frun%2Fdocker.sock/', 'must start with http:// or https://'],
    ['', 'must be an address such as'],
    ['/webhook', 'must be an address such as'],
    ['http://', 'must be an address such as'],
    ['http://[fe80::1%25eth0]/', 'must be an address such as'],
    ['http://./', 'must name a host'],
    ['http://localhost../', 'must name a host'],
    ['https://example.com/webhook?a=b', undefined],
    ['https://example.com.:8443/', undefined],
    ['http://n8n:5678/webhook', undefined],
    ['http://localhost.example.com/', undefined],
  ])('%s: %s', (url, expected) => {
    if (expected === undefined) expect(guard.checkUrl(url)).toBeUndefined();
    else expect(guard.checkUrl(url)).toContain(expected);
  });

  test('is never repeated where it carries a password', () => {
    for (const url of ['http://me:s3cret@10.0.0.1/', 'http://me:s3cret@', 'ftp://me:s3cret@127.0.0.1/'])
      expect(guard.checkUrl(url)).toMatch(/^url (?!.*s3cret)/);
  });

  test('may be localhost once a loopback address is open', () => {
    expect(new AddressGuard(['127.0.0.0/8']).checkUrl('http://localhost:5678/')).toBeUndefined();
    expect(new AddressGuard(['10.0.0.0/8']).checkUrl('http://localhost:5678/')).toContain(
      '127.0.0.0/8,::1/128 in WEBHOOK_ALLOWED_NETWORKS',
    );
  });
});
