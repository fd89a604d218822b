import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../../support/ts-hook.cjs');
const PROGRAM = join(__dirname, 'memory-program.ts');
/** No full collection for want of room, and the size of the young generation that Node.js has by itself on 64 bits. */
const FLAGS = ['--expose-gc', '--initial-heap-size=512', '--max-semi-space-size=16'];
const EVENTS = 60_000;
const BYTES = 12_000;
/** 31 to 35 MB where nothing is kept; 70 to 72, where V8 collects for the bodies' sake, where a map holds the messages. */
const MOST = 50_000_000;
/** Bytes of each event: 24 to 29; 322 to 325 where maps held the ids in flight and a line of waiting events, and strings those before. */
const MOST_OLD = 100;

test('bodies of events that are done with are not kept until the next full collection, and hardly anything else is', () => {
  const args = [...FLAGS, '-r', HOOK, PROGRAM, String(EVENTS), String(BYTES)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const [bodies = 0, old = Number.NaN] = stdout.split(' ').map(Number);
  expect(bodies).toBeGreaterThan(BYTES);
  expect(bodies).toBeLessThan(MOST);
  expect(old).toBeLessThan(MOST_OLD);
});
