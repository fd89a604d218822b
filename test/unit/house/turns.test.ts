import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SRC = join(__dirname, '../../../src');

/** Turns, claims and locks in Redis: each knows how long it was taken for, and is over where it would last for longer. */
const HELD_BY_SOMEBODY = [
  'redis/lead-prelude.ts',
  // Locks of deliveries: bullmq-guards.ts.
  'redis/next-script.ts',
  'redis/queue-scripts.ts',
  'redis/replay-scripts.ts',
  'redis/turn-prelude.ts',
];

/** What Redis forgets after a while. Where that is an hour later nobody waits for it. */
const FORGOTTEN = [
  'destinations/pusher/occupancy/occupancy-store.ts',
  'destinations/websocket/stream.ts',
  'gateway/websocket/stream-reader.ts',
  'moving-in/moving-notes.ts',
  'redis/address-scripts.ts',
  'redis/alert-scripts.ts',
  'redis/delivery-prelude.ts',
  'redis/flow-scripts.ts',
  'redis/lane-prelude.ts',
  'redis/ledger-scripts.ts',
  'redis/lid-scripts.ts',
  'redis/log-scripts.ts',
  'redis/once-writer.ts',
  'redis/order-scripts.ts',
  'redis/probe-script.ts',
  'redis/rate-script.ts',
  'redis/redis-doctor.ts',
  'redis/redis-health.ts',
  'redis/reference-script.ts',
  // Claims of events, too: turn-prelude.ts.
  'redis/scripts.ts',
  'redis/session-scripts.ts',
  'redis/silence-scripts.ts',
  'redis/slow-prelude.ts',
  'redis/supersede-script.ts',
  'references/reference-writer.ts',
];

const EXPIRES = /'(?:P|E)X(?:AT)?'|'P?EXPIRE(?:AT)?'|\bredis\b[^;]*\.p?expire(?:at)?\(|\bp?setex\b/i;
/** `SET … NX PX`, in whichever order. */
const TAKES_BY_EXPIRY = /'(?:PX|EX)'[^;)]*'NX'|'NX'[^;)]*'(?:PX|EX)'|\bSETNX\b/i;

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));

const namesOf = (pattern: RegExp): string[] =>
  sources
    .filter(({ text }) => pattern.test(text))
    .map(({ name }) => name)
    .sort();

test('no turn is one only as its key is there: where the clock of Redis was set back it would be somebody’s for as long', () => {
  expect(namesOf(TAKES_BY_EXPIRY)).toEqual([]);
});

test('whatever Redis lets go by its clock is known, and what becomes of it where that was set back', () => {
  expect(namesOf(EXPIRES)).toEqual([...HELD_BY_SOMEBODY, ...FORGOTTEN].sort());
});

test.each([
  ["redis.set(key, '1', 'PX', forMs, 'NX')", true],
  ["call('SET', key, 1, 'NX', 'PX', ms)", true],
  ["call('SETNX', key, 1)", true],
  ["call('HSETNX', key, 'a', 1)", false],
  ["call('ZADD', key, 'NX', NOW, id)\n call('SET', key, ms, 'PX', ms)", false],
])('a turn that is taken by expiry is found: %j', (text, isFound) => {
  expect(TAKES_BY_EXPIRY.test(text)).toBe(isFound);
});
