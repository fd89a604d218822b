/**
 * `node test/support/run.mjs <test|fast|model|soak|demo|bench> [arguments]`: everything from a fresh clone to the end of the
 * command. Plain Node without a dependency, as `node_modules` may not exist yet.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suitesToRunAgain } from './second-run.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inRoot = (...names) => join(root, ...names);
const withTypeScript = ['-r', inRoot('test/support/ts-hook.cjs')];
const jest = inRoot('node_modules/jest/bin/jest.js');
// Without dependencies, as this program installs them.
const { FAST } = createRequire(import.meta.url)('./fast.cjs');
const COMMANDS = {
  test: { need: ['rabbitmq', 'redis', 'chromium', 'promtool'], node: [jest] },
  fast: { need: [], node: [jest, ...FAST] },
  model: { need: [], node: [jest, 'test/model/.*-half'], env: modelEnvOf },
  soak: { need: ['rabbitmq', 'redis'], node: [...withTypeScript, inRoot('test/soak/main.ts')] },
  demo: { need: ['rabbitmq', 'redis'], node: [...withTypeScript, inRoot('test/demo/main.ts')] },
  bench: { need: ['rabbitmq', 'redis', 'nginx'], node: [...withTypeScript, inRoot('test/bench/main.ts')] },
};

/** `--runs N`: how many runs the model makes. Nobody else looks at what is given here. */
function modelEnvOf(args) {
  if (args.length === 0) return { MODEL_EXPLORE: 'true' };
  const [, runs] = /^--runs[ =]([1-9]\d*)$/.exec(args.join(' ')) ?? [];
  if (runs === undefined) fail('npm run model -- [--runs N]: N must be a whole number from 1', 2);
  return { MODEL_EXPLORE: 'true', MODEL_RUNS: runs };
}

const log = (line) => process.stderr.write(`${line}\n`);

function fail(message, status = 1) {
  log(message);
  process.exit(status);
}

let child;
let interrupted = false;

/**
 * The command winds up first, then the services. It has a process group of its own, so that Ctrl-C comes here
 * alone. Before it runs, the watchdog clears away what there is.
 */
function onSignal(signal) {
  if (!child) process.exit(128 + constants.signals[signal]);
  if (interrupted) endGroup();
  else child.kill(signal);
  interrupted = true;
}

/** Also what the command leaves: jest's workers do not notice that jest is gone. */
function endGroup() {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

/** npm passes SIGTERM on to the shell between us only; what we see is that the shell is gone. */
function followParent() {
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    onSignal('SIGTERM');
  }, 200);
  timer.unref();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`Node.js 20.19 or later is needed; this is ${process.versions.node}.`);
}

/** Copies of this command in one folder prepare it one after the other; the name goes with its holder. */
async function alone(work) {
  const name = `\0evolution-relay:${root}`; // Abstract sockets: Linux only. Elsewhere nobody is waited for.
  const take = () =>
    new Promise((resolve) => {
      const server = createServer();
      server.once('error', (error) => resolve(error.code === 'EADDRINUSE' ? undefined : server));
      server.listen(name, () => resolve(server));
    });
  let server = await take();
  for (; !server; server = await take()) await delay(100);
  work();
  server.close();
}

const changed = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

function newest(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return Math.max(
    0,
    ...entries.map((entry) =>
      entry.isDirectory() ? newest(join(folder, entry.name)) : changed(join(folder, entry.name)),
    ),
  );
}

function npm(line, ...args) {
  log(line);
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 };
  const { status, stdout, stderr, error } = spawnSync('npm', args, options);
  if (status === 0) return;
  fail(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\nnpm ${args.join(' ')} failed.`);
}

function prepare() {
  if (changed(inRoot('node_modules/.package-lock.json')) < changed(inRoot('package-lock.json'))) {
    npm('Installing the dependencies', 'ci', '--include=dev', '--no-audit', '--no-fund');
  }
  const sources = Math.max(
    newest(inRoot('src')),
    changed(inRoot('tsconfig.json')),
    changed(inRoot('tsconfig.build.json')),
  );
  if (changed(inRoot('dist/main.js')) < sources) npm('Building', 'run', 'build');
}

/** The command's exit status. */
function run(node, args, env, { guard, release }) {
  return new Promise((resolve) => {
    child = spawn(process.execPath, [...node, ...args], {
      cwd: root,
      stdio: 'inherit',
      detached: true,
      env: { ...process.env, ...env },
    });
    guard(`group ${child.pid}`);
    child.once('exit', (code, signal) => {
      endGroup();
      release(`group ${child.pid}`);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** All tests; those that may have failed for want of time once more. */
async function runWhole(env, guard) {
  const folder = mkdtempSync(join(tmpdir(), 'evolution-relay-'));
  try {
    const results = join(folder, 'results.json');
    const status = await run([jest], ['--json', `--outputFile=${results}`], env, guard);
    const again = status === 1 && !interrupted ? suitesToRunAgain(results, root) : [];
    if (again.length === 0) return status;
    const names = again.map((path) => relative(root, path)).join(', ');
    log(`\nOnce more, one after the other, as their bounds of time may be what failed: ${names}`);
    const second = await run([jest], ['--maxWorkers=1', '--runTestsByPath', ...again], env, guard);
    log(second === 0 ? `UNSTABLE: ${names} passed only when run again.` : `${names} failed twice.`);
    return second;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A demo with another source does without RabbitMQ. */
function needOf({ need }, args) {
  const isSqs = name === 'demo' && /(^| )--source[ =]sqs( |$)/.test(args.join(' '));
  return isSqs ? need.filter((service) => service !== 'rabbitmq') : need;
}

const [name, ...rest] = process.argv.slice(2);
const args = rest[0] === '--' ? rest.slice(1) : rest;
const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
checkNode();
if (!command) fail('Usage: node test/support/run.mjs <test|fast|model|soak|demo|bench> [arguments]', 2);
const ownEnv = command.env?.(args);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
if (process.env.npm_lifecycle_event) followParent();

await alone(prepare);
await delay(0); // A signal that came while npm ran is acted upon here.

const require = createRequire(import.meta.url);
require('./ts-hook.cjs');
const { startServices } = require('./processes/services.ts');
try {
  const services = await startServices({ need: needOf(command, args), log });
  const env = { ...services.env, ...ownEnv };
  // What became of the arguments of the model are its variables: jest knows none of them.
  const guard = require('./processes/guard.ts');
  const isWhole = name === 'test' && args.length === 0;
  const status = isWhole
    ? await runWhole(env, guard)
    : await run(command.node, command.env ? [] : args, env, guard);
  await services.stop();
  process.exit(status);
} catch (error) {
  fail(error.name === 'ServicesMissing' ? error.message : error.stack);
}
