import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROBE } from '../../../src/redis/probe-script';

const OURS = join(__dirname, '../../../src/redis');
const THEIRS = join(dirname(require.resolve('bullmq')), 'scripts');
/** Of BullMQ's scripts those without which no retry is made. */
const NEEDED = ['moveToActive', 'moveStalledJobsToWait', 'extendLocks'];
/** Where it is forbidden, what hung at a worker that was killed waits longer, and nothing else (presence-scripts.ts). */
const SPARED = new Set(['PUBSUB']);

const commandsIn = (text: string): string[] =>
  [...text.matchAll(/(?:\bp?call|\brcall)\(\s*['"]([A-Z]+)['"]/g)].map(([, name = '']) => name);

const probed = new Set(commandsIn(PROBE.lua));

describe('the write that readiness asks for', () => {
  test('uses every command of our scripts: one that is forbidden makes a worker unready, not only silent', () => {
    const files = readdirSync(OURS).filter((name) => name.endsWith('.ts') && name !== 'locator.ts');
    const used = files.flatMap((name) => commandsIn(readFileSync(join(OURS, name), 'utf8')));
    expect(used.length).toBeGreaterThan(100);
    expect([...new Set(used)].filter((name) => !probed.has(name) && !SPARED.has(name))).toEqual([]);
  });

  test.each(NEEDED)('uses every command of %s of BullMQ', (script) => {
    const file = readdirSync(THEIRS).find((name) => name.startsWith(`${script}-`) && name.endsWith('.js'));
    const used = commandsIn(readFileSync(join(THEIRS, file ?? 'missing'), 'utf8'));
    expect(used.length).toBeGreaterThan(0);
    expect([...new Set(used)].filter((name) => !probed.has(name))).toEqual([]);
  });
});
