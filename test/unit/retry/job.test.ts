import { COMPRESSION } from '../../../src/events/compression';
import { historyOf, type JobData, readJob } from '../../../src/retry/job';

const good = { v: COMPRESSION, d: 'webhook:global', e: 'call', i: 'loja', b: '', l: 0, n: 0 };

describe('what lies in Redis', () => {
  test.each<[string, unknown, string]>([
    ['a record of ours', good, 'job'],
    ['one with fields that a later version added', { ...good, later: 1 }, 'job'],
    ['one of a later version', { v: COMPRESSION + 1 }, 'newer'],
    ['one whose version is text', { ...good, v: '1' }, 'unreadable'],
    ['one without a destination', { ...good, d: undefined }, 'unreadable'],
    ['one whose length is text', { ...good, l: '7' }, 'unreadable'],
    ['a list', [], 'unreadable'],
    ['null', null, 'unreadable'],
    ['a number', 7, 'unreadable'],
  ])('%s', (_name, record, kind) => {
    expect(readJob(JSON.stringify(record)).kind).toBe(kind);
  });

  test('what is no JSON is unreadable', () => {
    for (const text of ['', '{', 'undefined', '\u0000'])
      expect(readJob(text)).toEqual({ kind: 'unreadable' });
  });

  test('lines of a log that are no records are left out of a history', () => {
    const record = { attempt: 2, at: 1, durationMs: 1, outcome: { kind: 'failed', code: 'X' } };
    expect(historyOf(good as JobData, ['', 'x', '7', 'null', '{}', JSON.stringify(record)])).toEqual([
      record,
    ]);
  });
});
