import { parseEnv } from 'node:util';
import { parseEnvFile } from '../../../src/config/env-file';
import { MODULES } from '../../../src/modules';
import { CORE_API_ENV } from '../../support/values/core-api-env';
import { folderWith } from '../../support/values/folders';

describe('a line of .env that is no variable takes no other one with it, and is said', () => {
  test.each<[string, string, Record<string, string>, RegExp]>([
    [
      'a name alone',
      'A=1\nPUSHER_KEY\nB=2',
      { A: '1', B: '2' },
      /^line 2 is left out \(PUSHER_KEY\).* has no =/,
    ],
    ['a name at the end', 'A=1\nFOO', { A: '1' }, /^line 2 is left out, as it has no =/],
    ['a colon', 'A_B: x\nB=2', { B: '2' }, /^line 1 is left out \(A_B\), as it has no =/],
    ['a colon, and = later', 'A_B: s3cret=\nB=2', { B: '2' }, /^line 1 is left out \(A_B\)/],
    ['no name', '=s3cret\nB=2', { B: '2' }, /^line 1 is left out, as it has no name/],
    ['a blank in the name', 'REDIS URI=s3cret\r\nB=2\r\n', { B: '2' }, /^line 1 is left out/],
    ['what may be a secret itself', 's3cret\n\nB=2', { B: '2' }, /^line 1 is left out, as/],
    ['a secret in capitals', 'AKIAS3CRET\nB=2', { B: '2' }, /^line 1 is left out, as/],
    [
      'a quote that is closed in another line by accident',
      'A="s3cret\nB="s3cret"\nC=3',
      { A: 's3cret\nB=', C: '3' },
      /^line 2 has text behind the quote .* in line 1/,
    ],
    [
      'a quote that is never closed',
      'A="s3cret\nB=2',
      { A: '"s3cret', B: '2' },
      /^line 1 begins a value with a quote that is not closed/,
    ],
    ['the same in the last line', 'B=2\nA="s3cret', { A: '"s3cret', B: '2' }, /^line 2 begins a value with/],
    ['text behind a quote', 'A="x" s3cret\nB=1', { A: 'x', B: '1' }, /^line 1 has text behind the quote/],
  ])('%s', (_what, text, values, fault) => {
    const read = parseEnvFile(text);
    expect(read.values).toEqual(values);
    expect(read.faults).toEqual([expect.stringMatching(fault)]);
    expect(read.faults.join()).not.toMatch(/s3cret/i);
  });

  test.each([
    '# a comment = 1\nexport A=1\n B = 2 \nC="over\nlines" # and a comment\nD=\nE=\'x\'\nF=`y`\nG=it"s\nH=a#b',
    '\nA=1\r\n\r\n#B\r\nC="x"\r\n',
    CORE_API_ENV,
    MODULES.envExample(),
  ])('one without faults is read as Node reads it', (text) => {
    expect(parseEnvFile(text)).toEqual({ values: parseEnv(text), faults: [], repeated: [] });
  });

  test('a name that comes again may be meant: the line before it is noted', () => {
    const { values, faults, repeated } = parseEnvFile('A=1\n\nA=s3cret');
    expect([values, faults, repeated]).toEqual([
      { A: 's3cret' },
      [],
      ['line 1 has no effect: line 3 sets A again'],
    ]);
  });

  test('blank lines behind a comment belong to no name', () => {
    expect(parseEnvFile('# a comment\n\n  \nA=1\n')).toEqual({
      values: { A: '1' },
      faults: [],
      repeated: [],
    });
  });

  test('the configuration warns of them, by file and line', () => {
    const folder = folderWith({ '.env': 'RABBITMQ_QUEUE\nWEBHOOK_LEGACY_PATHS=true\n' });
    const { warnings, values } = MODULES.loadConfig(folder.path, {});
    folder.remove();
    expect(warnings).toEqual([expect.stringMatching(/^\.env: line 1 is left out \(RABBITMQ_QUEUE\)/)]);
    expect(values['WEBHOOK_LEGACY_PATHS']).toBe(true);
  });
});
