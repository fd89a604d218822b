import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../support/ts-hook.cjs');
const MODULE = join(__dirname, '../../src/v8-flags.ts');

it('every flag is one that this V8 has: it complains on standard error of others', () => {
  const program = `
    const flags = require(${JSON.stringify(MODULE)});
    flags.growWithWork();
    // Collects fully, which has the room of the heap set anew.
    flags.releaseAfterLoading();
    setImmediate(() => setImmediate(() => undefined));`;
  const { status, stderr } = spawnSync(process.execPath, ['-r', HOOK, '-e', program], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
