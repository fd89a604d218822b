import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../../support/ts-hook.cjs');
const MODULE = join(__dirname, '../../../src/startup/v8-flags.ts');

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

it('the heap grows by what was asked for, and where much is alive by a part of that: each collection goes through all of it', () => {
  const program = `
    const { growthPercent } = require(${JSON.stringify(MODULE)});
    console.log(JSON.stringify([16, 64, 128, 1024, 8192].map((alive) => growthPercent(32, alive, 16_384))));`;
  const { stdout } = spawnSync(process.execPath, ['-r', HOOK, '-e', program], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual([200, 50, 25, 25, 25]);
});

it('what comes and goes outside the heap has room of its own, up to as much again: V8 counts it to the growth of the heap', () => {
  const program = `
    const { roomFor } = require(${JSON.stringify(MODULE)});
    const mega = 1024 * 1024;
    console.log(JSON.stringify([0, 16, 24, 40, 400].map((swing) => roomFor(swing * mega) / mega)));`;
  const { stdout } = spawnSync(process.execPath, ['-r', HOOK, '-e', program], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual([32, 32, 40, 56, 64]);
});

it('the heap is left to V8 while little is left to its limit, as in a small container', () => {
  const program = `
    const { growthPercent } = require(${JSON.stringify(MODULE)});
    console.log(JSON.stringify([[10, 128], [50, 256], [3700, 4096], [10, 4096]].map(([alive, limit]) => growthPercent(32, alive, limit))));`;
  const { stdout } = spawnSync(process.execPath, ['-r', HOOK, '-e', program], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual([0, 0, 0, 320]);
});

it('of a room that follows what comes and goes as much is left as the limit allows: a worker with some 1 GB of heap does not lose all of it', () => {
  const program = `
    const { growthPercent, roomFor } = require(${JSON.stringify(MODULE)});
    const mega = 1024 * 1024;
    const percent = (swing, limit) => growthPercent(roomFor(swing * mega), 50 * mega, limit * mega);
    console.log(JSON.stringify([[0, 690], [40, 690], [40, 1072], [40, 2048], [40, 500]].map(([swing, limit]) => percent(swing, limit))));`;
  const { stdout } = spawnSync(process.execPath, ['-r', HOOK, '-e', program], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual([64, 80, 112, 112, 0]);
});
