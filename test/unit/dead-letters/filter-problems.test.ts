import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KNOWN_CODES } from '../../../src/dead-letters/attempt-codes';
import { UNREADABLE_LETTERS } from '../../../src/dead-letters/dead-letters';
import { DETAILS, filterProblems, REASONS } from '../../../src/dead-letters/filter-problems';

const KINDS = ['webhook', 'pusher', 'websocket'];
const DEAD = { of: 'dead-letters', kinds: KINDS } as const;
const SRC = join(__dirname, '../../../src');

describe('a filter that names what does not exist is refused, with what there is (kind 7)', () => {
  test.each([
    [
      { reason: 'rejectd' },
      /^reason: .*rejectd.*attempts-exhausted, rejected, .*EVENT_MISSING.*; did you mean rejected\?$/,
    ],
    [{ reason: 'REJECTED' }, /^reason: .*did you mean rejected\?$/],
    [{ reason: 'EVENT_MISING' }, /did you mean EVENT_MISSING\?$/],
    [{ event: 'mesages.upsert' }, /^event: .*did you mean messages\.upsert\?$/],
    [{ event: 'MESSAGE_UPSERT' }, /^event: .*did you mean MESSAGES_UPSERT\?$/],
    [{ destination: 'webhok:global' }, /^destination: .*webhook, pusher, websocket, unreadable/],
    [{ destination: 'https://example.com/' }, /^destination: /],
    [{ destination: 'webhook' }, /^destination: /],
    [{ since: 2, until: 1 }, /^since: lies after until.*3h is earlier than 2h/],
  ])('%j', (filter, problem) => {
    expect(filterProblems(filter, DEAD)).toEqual([expect.stringMatching(problem)]);
  });

  test.each([
    {},
    { reason: 'rejected', event: 'MESSAGES_UPSERT', destination: 'webhook:global' },
    { reason: 'EVENT_MISSING', destination: 'none' },
    { event: 'messages.upsert', destination: 'pusher:instance/loja%20centro' },
    { destination: 'webhook:instance/loja/n8n' },
    { destination: 'unreadable:instance/loja' },
    { event: 'something.of.a.later.core' },
    { since: 1, until: 1 },
    { since: 2 },
  ])('%j names what there may be', (filter) => {
    expect(filterProblems(filter, DEAD)).toEqual([]);
  });

  test('every code that makes a message malformed is one that can be filtered by', () => {
    const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const codes = sources.flatMap((file) =>
      [...readFileSync(join(SRC, file), 'utf8').matchAll(/new MalformedEventError\(\s*'([A-Z_\d]+)'/g)].map(
        ([, code]) => code,
      ),
    );
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => code !== undefined && !REASONS.includes(code))).toEqual([]);
    expect(DETAILS).toEqual(expect.arrayContaining(Object.values(UNREADABLE_LETTERS)));
  });
});

describe.each(['parked', 'deliveries'] as const)('reasons of %s', (of) => {
  const problems = (reason: string): string[] => filterProblems({ reason }, { of, kinds: KINDS });

  test.each([
    ['TIMEOT', 'TIMEOUT'],
    ['timeout', 'TIMEOUT'],
    ['503', 'HTTP_503'],
    ['http_503', 'HTTP_503'],
    ['HTTP503', 'HTTP_503'],
    ['HTTP_5O3', 'HTTP_503'],
    ['ECONREFUSED', 'ECONNREFUSED'],
    ['ENOTFUOND', 'ENOTFOUND'],
    ['ADRESS_REFUSED', 'ADDRESS_REFUSED'],
    ['UND_ERR_SOCKT', 'UND_ERR_SOCKET'],
    ['STORE_UNAVAILABL', 'STORE_UNAVAILABLE'],
  ])('a misspelt code is refused with the one that was meant: %s', (reason, meant) => {
    expect(problems(reason)).toEqual([expect.stringMatching(new RegExp(`; did you mean ${meant}\\?$`))]);
  });

  test.each([
    'HTTP_503',
    'TIMEOUT',
    'EMFILE',
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    'SOMETHING_OF_A_LATER_NODE',
    'HPE_INVALID_CONSTANT',
    // What earlier versions logged, and whatever else has no code.
    'HTTPParserError',
    'TypeError',
  ])('what there is, or may be, is taken: %s', (reason) => expect(problems(reason)).toEqual([]));

  test('what no reason looks like is refused with what there is', () => {
    expect(problems('no such thing')).toEqual([expect.stringMatching(/^reason: .*HTTP_503/)]);
  });
});

test('words of parked deliveries and of the delivery log are those that these have', () => {
  const of = (asked: 'parked' | 'deliveries', reason: string) =>
    filterProblems({ reason }, { of: asked, kinds: KINDS });
  expect(of('parked', 'untried')).toEqual([]);
  expect(of('parked', 'untryed')).toEqual([expect.stringMatching(/did you mean untried\?$/)]);
  expect(of('parked', 'slow')).toHaveLength(1);
  for (const word of ['slow', 'circuit-open', 'rejected', 'filtered', 'vacant', 'no-destination', 'muted'])
    expect(of('deliveries', word)).toEqual([]);
  expect(of('deliveries', 'circut-open')).toEqual([expect.stringMatching(/did you mean circuit-open\?$/)]);
});

test('every code that an attempt ends with can be filtered by', () => {
  const OUTCOME = /(?:kind: '(?:failed|interrupted|rejected)', code: |waiting\()'([A-Z_]+)'/g;
  const codes = ['destinations', 'pipeline', 'retry'].flatMap((room) =>
    readdirSync(join(SRC, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [...readFileSync(join(SRC, room, file), 'utf8').matchAll(OUTCOME)])
      .map(([, code = '']) => code),
  );
  expect(codes.length).toBeGreaterThan(8);
  expect(codes.filter((code) => !KNOWN_CODES.includes(code))).toEqual([]);
  for (const asked of ['parked', 'deliveries'] as const)
    expect(KNOWN_CODES.flatMap((reason) => filterProblems({ reason }, { of: asked, kinds: KINDS }))).toEqual(
      [],
    );
});
