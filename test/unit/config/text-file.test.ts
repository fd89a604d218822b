import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readInput } from '../../../src/cli/files';
import { MAX_CONFIG_BYTES, readTextFile } from '../../../src/config/text-file';
import { MODULES } from '../../../src/modules';
import { readSettingsFile } from '../../../src/settings/settings-file';
import { folderWith } from '../../support/values/folders';

const MAX = 1_048_576;

/** Everything that a file can be and a text is not: each would make a process wait, or take all its memory. */
const KINDS: readonly (readonly [what: string, make: (path: string) => void, said: RegExp])[] = [
  ['a pipe that nobody writes to', (path) => execFileSync('mkfifo', [path]), /it is a pipe/],
  ['a folder', (path) => mkdirSync(path), /it is a folder/],
  ['a device', (path) => symlinkSync('/dev/zero', path), /it is a device/],
  ['a link to itself', (path) => symlinkSync(path, path), /its links lead in a circle/],
  [
    'one of 200 MB',
    (path) => {
      writeFileSync(path, '');
      truncateSync(path, 200_000_000);
    },
    /it has more than \d+ MB/,
  ],
];

let folder: ReturnType<typeof folderWith>;
beforeEach(() => {
  folder = folderWith({ 'config/other.json': '{}' });
});
afterEach(() => folder.remove());

describe.each(KINDS)('%s in the place of a file is refused with what it is', (_what, make, said) => {
  test('.env and config/default.json', () => {
    for (const name of ['.env', 'config/default.json']) {
      make(join(folder.path, name));
      expect(() => MODULES.loadConfig(folder.path, {})).toThrow(said);
      expect(() => MODULES.loadConfig(folder.path, {})).toThrow(`${name} cannot be read`);
      folder.remove();
      folder = folderWith({ 'config/other.json': '{}' });
    }
  });

  test('SETTINGS_FILE', () => {
    make(join(folder.path, 'instances.json'));
    expect(() => readSettingsFile(MODULES.sections, folder.path, 'instances.json')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/SETTINGS_FILE: instances\.json/) }),
    );
    expect(() => readSettingsFile(MODULES.sections, folder.path, 'instances.json')).toThrow(said);
  });

  test('a file that a command is given', () => {
    const path = join(folder.path, 'given.json');
    make(path);
    expect(() => readInput(path, MAX)).toThrow(said);
  });
});

test('a socket is refused', async () => {
  const path = join(folder.path, 'socket');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  expect(() => readTextFile(path, MAX)).toThrow(/it is a socket/);
  await new Promise((resolve) => server.close(resolve));
});

test('a file of variables may be as large as anybody writes one, and no larger', () => {
  const path = join(folder.path, '.env');
  writeFileSync(path, '#'.repeat(MAX_CONFIG_BYTES));
  expect(readTextFile(path, MAX_CONFIG_BYTES)).toHaveLength(MAX_CONFIG_BYTES);
  writeFileSync(path, '#'.repeat(MAX_CONFIG_BYTES + 1));
  expect(() => readTextFile(path, MAX_CONFIG_BYTES)).toThrow(/more than 1 MB/);
});

test('nothing (/dev/null), files of the system and what a shell puts in place of <(command) are read', () => {
  symlinkSync('/dev/null', join(folder.path, '.env'));
  expect(MODULES.loadConfig(folder.path, {}).warnings).toEqual([]);
  expect(readTextFile('/proc/self/status', MAX).toString()).toContain('VmRSS');
  const script = `cat <(printf '{}')`;
  expect(execFileSync('bash', ['-c', script]).toString()).toBe('{}');
});
