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
/** Of smaller ones V8 collects nothing fully for the bodies' sake, so that all that became old is there. */
const SMALL = { events: 30_000, bytes: 300 };
const MOST_OLD = 100;

interface Measured {
  /** The most that bodies took at once. */
  readonly bodies: number;
  /** What became old of each event. */
  readonly old: number;
}

function measured(way: string, events: number, bytes: number): Measured {
  const args = [...FLAGS, '-r', HOOK, PROGRAM, way, String(events), String(bytes)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const [bodies = Number.NaN, old = Number.NaN] = stdout.split(' ').map(Number);
  return { bodies, old };
}

test('bodies of events that are done with are not kept until the next full collection', () => {
  const { bodies } = measured('direct', EVENTS, BYTES);
  expect(bodies).toBeGreaterThan(BYTES);
  expect(bodies).toBeLessThan(MOST);
});

/** Bytes of each event, as they are and as they were with what V8 keeps. */
test.each([
  ['direct', '24', '325 with Maps of ids in flight and of lines'],
  ['instances', '28', '335 where a Map forgot what groups hold when it was nothing'],
  ['turns', '24', '1,700 where lines took turns by their order in a Map'],
  ['deduplication', '26', '203 with a Set of events to write down'],
  ['lanes', '34', '2,450 with a Map of lanes and a sink that was an object literal with a getter'],
  ['normalise', '23', '1,073 where a WeakMap had events that refer to themselves'],
  ['coalesce', '58', '1,400 with a Map of the newest deliveries'],
])('%s: hardly anything of an event that is done with is kept (%s bytes; %s)', (way) => {
  const { old } = measured(way, SMALL.events, SMALL.bytes);
  expect(old).toBeGreaterThanOrEqual(0);
  expect(old).toBeLessThan(MOST_OLD);
});
