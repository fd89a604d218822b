/**
 * Lets many things pass through one part, in a process of its own: prints what became old of each, in the sense of V8's collector, and
 * stays until the next full collection.
 * Needs `--expose-gc` (parts-memory.test.ts). Arguments: the part, how many.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { BatchEntry } from '../../src/destinations/pusher/batch-entry';
import { ChannelQueues } from '../../src/destinations/pusher/channel-queues';
import { sharesOf } from '../../src/destinations/shares-of';
import type { DestinationId } from '../../src/pipeline/delivery';
import { HeldPlaces } from '../../src/retry/held-places';
import { Leases } from '../../src/sources/sqs/leases';

/** Under way at once. */
const HELD = 250;
const TURN = 50;
const AGEING_AFTER = 2000;
/** Names that come again and again. */
const NAMES = 500;

/** Begins one thing; what it returns ends it. */
type Part = (number: number) => () => void;

const nothing = (): void => {};
const PARTS: Readonly<Record<string, () => Part>> = {
  leases: () => {
    const leases = new Leases({ api: { setVisibility: async () => [] }, visibilitySeconds: 60 });
    return (number) => {
      const message = {
        id: `id-${number}-of-a-message`,
        queueUrl: 'https://sqs',
        handle: '',
        hiddenUntil: 0,
      };
      leases.hold(message);
      return () => leases.forget(message);
    };
  },
  channels: () => {
    const queues = new ChannelQueues();
    const owner = { timeoutMs: 1000, withdraw: nothing };
    return (number) => {
      const event = { channel: `channel-${number % NAMES}`, name: 'call', data: '{}' };
      queues.add(new BatchEntry(event, number, owner));
      const taken = queues.take(1);
      return () => queues.release(taken);
    };
  },
  retries: () => {
    const places = new HeldPlaces();
    const shares = Array.from({ length: NAMES }, (_, number) => {
      const id = `webhook:instance/${number}` as DestinationId;
      return sharesOf(id, 0.2, `https://${number}.example`);
    });
    return (number) => {
      const own = shares[number % NAMES] ?? [];
      places.take(own);
      return () => places.giveBack(own);
    };
  },
};

const [name = '', count = '0'] = process.argv.slice(2);
const all = Number(count);
const open = PARTS[name];
if (open === undefined) throw new Error(`no such part: ${name}`);
const begin = open();
const underWay: (() => void)[] = [];
let begun = 0;
let isAged = false;
let warm = { begun: 0, bytes: 0 };

function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;
}

function turn(): void {
  for (let number = 0; number < TURN && begun < all && underWay.length < HELD; number++)
    underWay.push(begin(++begun));
  for (const end of underWay.splice(0, TURN)) end();
  if (!isAged && begun >= AGEING_AFTER) {
    isAged = true;
    for (let times = 0; times < 2; times++) global.gc?.({ type: 'minor' });
  }
  if (warm.begun === 0 && begun >= all / 2) warm = { begun, bytes: oldBytes() };
  if (begun < all || underWay.length > 0) setImmediate(turn);
  else process.stdout.write(`${(oldBytes() - warm.bytes) / (begun - warm.begun)}`);
}

turn();
