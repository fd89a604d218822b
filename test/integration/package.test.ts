import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folderWith } from '../support/values/folders';

jest.setTimeout(300_000);

const ROOT = join(__dirname, '../..');
const folder = folderWith();
afterAll(folder.remove);

const call = promisify(execFile);
const FEW_WORDS = ['--no-audit', '--no-fund', '--loglevel=error'];

test('the tarball is installed in an empty folder, and npx runs it', async () => {
  await call('npm', ['pack', '--ignore-scripts', '--pack-destination', folder.path], { cwd: ROOT });
  const [tarball = ''] = readdirSync(folder.path).filter((name) => name.endsWith('.tgz'));
  expect(tarball).toMatch(/^evolution-relay-\d+\.\d+\.\d+\.tgz$/);
  const empty = join(folder.path, 'empty');
  mkdirSync(empty);
  writeFileSync(join(empty, 'package.json'), '{"private":true}');
  const from = join(folder.path, tarball);
  await call('npm', ['install', from, '--ignore-scripts', '--prefer-offline', ...FEW_WORDS], { cwd: empty });
  const npx = (...args: string[]): Promise<{ stdout: string }> =>
    call('npx', ['--no-install', 'evolution-relay', ...args], { cwd: empty });
  const { version } = JSON.parse(
    (await call('npm', ['pkg', 'get', 'version', '--json'], { cwd: ROOT })).stdout.replace(
      /^"(.*)"\s*$/,
      '{"version":"$1"}',
    ),
  ) as { version: string };
  expect((await npx('--version')).stdout.trim()).toBe(version);
  expect((await npx('config')).stdout).toContain('REDIS_URI');
  expect((await npx('--help')).stdout).toContain('dead-letters');
});
