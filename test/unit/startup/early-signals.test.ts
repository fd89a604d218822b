import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../../support/ts-hook.cjs');
const MODULE = join(__dirname, '../../../src/startup/early-signals.ts');
/** As while modules are loaded: nothing else runs. */
const LOADING = 'const end = Date.now() + 200; while (Date.now() < end);';

/** Runs a program that gets a signal while it is being loaded. */
function run(signal: string, after = ''): { code: number | null; signal: string | null } {
  const program = `require(${JSON.stringify(MODULE)}); process.kill(process.pid, '${signal}'); ${LOADING} ${after}`;
  const { status, signal: ended } = spawnSync(process.execPath, [
    '-r',
    HOOK,
    '-e',
    `${program}; setTimeout(() => {}, 5000);`,
  ]);
  return { code: status, signal: ended };
}

describe('a signal that comes while the program is being loaded', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('%s ends it once everything is loaded, also as the first process of a container', (signal, code) => {
    expect(run(signal)).toEqual({ code, signal: null });
  });

  test('is left to the drain where there is work by then', () => {
    const drain = "process.on('SIGTERM', () => setImmediate(() => process.exit(7)))";
    expect(run('SIGTERM', drain)).toEqual({ code: 7, signal: null });
  });
});
