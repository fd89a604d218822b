/**
 * Runs commands of the built command line one after the other in one process, as most of what a command costs is the
 * loading of its modules. Each has an environment, a folder, outputs and an exit code of its own. A command that leaves
 * behind what would keep a process of its own alive has failed.
 */
const { join } = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { run } = require(join(__dirname, '../../../dist/cli/program.js'));

// Libraries look at them when they are loaded, by the first command that needs them: open from the beginning.
void [process.stdout, process.stderr];

const SETTLE_MS = 5_000;
const MAIN = join(__dirname, '../../../dist/main.js');

/** Descriptions of what keeps this process alive. */
const resources = () => process.getActiveResourcesInfo().sort().join();

/** Takes what is written to a stream from now on. */
function capture(stream) {
  const { write } = stream;
  let text = '';
  stream.write = (chunk, encoding, done) => {
    text += chunk;
    (typeof encoding === 'function' ? encoding : done)?.();
    return true;
  };
  return () => {
    stream.write = write;
    return text;
  };
}

async function runOne({ args, env, cwd }) {
  const before = resources();
  process.env = { ...env };
  process.chdir(cwd);
  process.exitCode = undefined;
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  await run([process.execPath, MAIN, ...args]).catch((error) => {
    process.exitCode = 1;
    process.stderr.write(`${error.stack}\n`);
  });
  const left = await leftBehind(before);
  const result = { code: process.exitCode ?? 0, stdout: stdout(), stderr: stderr(), left };
  process.exitCode = undefined;
  return result;
}

async function leftBehind(before) {
  const deadline = Date.now() + SETTLE_MS;
  while (resources() !== before) {
    if (Date.now() > deadline) return `${resources()} instead of ${before}`;
    await delay(1);
  }
  return undefined;
}

let last = Promise.resolve();
process.on('message', (command) => {
  last = last.then(async () => process.send({ id: command.id, ...(await runOne(command)) }));
});
