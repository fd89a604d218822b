import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ChildProgram } from '../support/processes/child-program';
import { freePort } from '../support/processes/ports';
import { eventually } from '../support/signals/signals';
import { folderWith } from '../support/values/folders';

jest.setTimeout(300_000);

const ROOT = join(__dirname, '../..');
const folder = folderWith();
afterAll(folder.remove);

const call = promisify(execFile);
const FEW_WORDS = ['--no-audit', '--no-fund', '--loglevel=error'];

test('the tarball is installed in an empty folder, and npx runs it: its commands and its gateway', async () => {
  await call('npm', ['pack', '--ignore-scripts', '--pack-destination', folder.path], { cwd: ROOT });
  const [tarball = ''] = readdirSync(folder.path).filter((name) => name.endsWith('.tgz'));
  expect(tarball).toMatch(/^evolution-relay-\d+\.\d+\.\d+\.tgz$/);
  const empty = join(folder.path, 'empty');
  mkdirSync(empty);
  writeFileSync(join(empty, 'package.json'), '{"private":true}');
  const from = join(folder.path, tarball);
  // Where engines are taken seriously, as by pnpm: overrides of ours say nothing there about what our dependencies bring.
  const install = ['install', from, '--ignore-scripts', '--engine-strict', '--prefer-offline', ...FEW_WORDS];
  await call('npm', install, { cwd: empty });
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
  const port = String(await freePort());
  const environment = {
    ...{ GATEWAY_PORT: port, AUTHENTICATION_API_KEY: 'key-of-the-package-0123456789' },
    ...{ REDIS_URI: process.env['REDIS_URI'] ?? '', REDIS_PREFIX_KEY: 'of-the-package' },
  };
  const installed = join(empty, 'node_modules/evolution-relay/dist/main.js');
  const gateway = new ChildProgram([process.execPath, installed, 'gateway'], empty, environment);
  await eventually(() => (/gateway started/.test(gateway.output) ? true : undefined), 'a gateway', 60_000);
  const page = await fetch(`http://127.0.0.1:${port}/dashboard`, { redirect: 'manual' });
  expect(page.status).toBeLessThan(400);
  expect(await gateway.end('SIGTERM')).toEqual({ code: 0, signal: null });
});
