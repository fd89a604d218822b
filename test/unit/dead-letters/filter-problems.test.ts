import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UNREADABLE_LETTERS } from '../../../src/dead-letters/dead-letters';
import { DETAILS, filterProblems, REASONS } from '../../../src/dead-letters/filter-problems';

const KINDS = ['webhook', 'pusher', 'websocket'];
const SRC = join(__dirname, '../../../src');

describe('a filter that names what does not exist is refused, with what there is (kind 7)', () => {
  test.each([
    [{ reason: 'rejectd' }, /^reason: .*rejectd.*attempts-exhausted, rejected, .*EVENT_MISSING/],
    [{ reason: 'REJECTED' }, /^reason: /],
    [{ event: 'mesages.upsert' }, /^event: .*did you mean messages\.upsert\?$/],
    [{ event: 'MESSAGE_UPSERT' }, /^event: .*did you mean MESSAGES_UPSERT\?$/],
    [{ destination: 'webhok:global' }, /^destination: .*webhook, pusher, websocket, unreadable/],
    [{ destination: 'https://example.com/' }, /^destination: /],
    [{ destination: 'webhook' }, /^destination: /],
  ])('%j', (filter, problem) => {
    expect(filterProblems(filter, KINDS)).toEqual([expect.stringMatching(problem)]);
  });

  test.each([
    {},
    { reason: 'rejected', event: 'MESSAGES_UPSERT', destination: 'webhook:global' },
    { reason: 'EVENT_MISSING', destination: 'none' },
    { event: 'messages.upsert', destination: 'pusher:instance/loja%20centro' },
    { destination: 'webhook:instance/loja/n8n' },
    { destination: 'unreadable:instance/loja' },
    { event: 'something.of.a.later.core' },
  ])('%j names what there may be', (filter) => {
    expect(filterProblems(filter, KINDS)).toEqual([]);
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
