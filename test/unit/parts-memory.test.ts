import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../support/ts-hook.cjs');
const PROGRAM = join(__dirname, 'parts-memory-program.ts');
/** No full collection for want of room, and the size of the young generation that Node.js has by itself on 64 bits. */
const FLAGS = ['--expose-gc', '--initial-heap-size=512', '--max-semi-space-size=16'];
const COUNT = 60_000;
const MOST_OLD = 100;

/** Bytes of each, as they are and as they were with a Map that entries are deleted from. */
test.each([
  ['leases', '28', '278'],
  ['channels', '1', '194'],
  ['retries', '1', '224'],
])(
  '%s: hardly anything of what passed through is kept until the next full collection (%s bytes; %s)',
  (part) => {
    const args = [...FLAGS, '-r', HOOK, PROGRAM, part, String(COUNT)];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    const old = Number(stdout || Number.NaN);
    expect(old).toBeGreaterThanOrEqual(0);
    expect(old).toBeLessThan(MOST_OLD);
  },
);
