import { DeliveryLog } from '../../../src/delivery-log/delivery-log';
import type { LogFilter } from '../../../src/delivery-log/log-filter';
import type { LogRecord } from '../../../src/delivery-log/log-record';
import { LogStore } from '../../../src/delivery-log/log-store';
import { LogWriter } from '../../../src/delivery-log/log-writer';
import { StoredStates } from '../../../src/delivery-log/stored-states';
import { withStore } from '../../../src/retry/with-store';
import { notedOf } from '../../support/values/message-keys';
import { redisConfig } from '../../support/values/redis-config';
import type { Bench } from '../context';
import { figure, heading, verdict } from '../report';
import { median } from '../statistics';

const RECORDS = 1_000_000;
const INSTANCES = 100;
const CHATS = 20_000;
/** Over which they are spread. */
const HOURS = 24;
const LOOKS = 11;
/** As a person's first page. */
const PAGE = 50;
const GOAL_MS = 50;
/** Fewer than what a writer takes before it leaves any out. */
const AT_ONCE = 5_000;

/** "Where is my message?", asked of a full log. */
export async function measureLookUps({ print, progress, redis }: Bench): Promise<void> {
  await withStore(redisConfig(redis.uri, redis.prefix), async (store, connection) => {
    const logStore = new LogStore({ redis: connection, prefix: redis.prefix });
    progress(`log: writing ${RECORDS.toLocaleString('en')} records`);
    await fill(logStore);
    const bytes = await redis.usedBytes();
    heading(
      print,
      `Delivery log: look-ups among ${RECORDS.toLocaleString('en')} deliveries of ${HOURS} hours`,
    );
    figure(print, 'memory of Redis', `${Math.round(bytes / RECORDS)} bytes a delivery`);
    const log = new DeliveryLog({ store: logStore, states: new StoredStates(store) });
    for (const [what, filter, expected] of LOOK_UPS) {
      const times: number[] = [];
      for (let look = 0; look < LOOKS; look++) {
        const begun = performance.now();
        const { deliveries } = await log.search(filter(look), PAGE);
        times.push(performance.now() - begun);
        if (deliveries.length !== expected) throw new Error(`${what}: ${deliveries.length} found`);
      }
      verdict(print, { what, value: median(times), unit: ' ms', atMost: GOAL_MS, rounds: times });
    }
  });
  await redis.clear();
}

const numberOf = (look: number): number => Math.floor((RECORDS / LOOKS) * (look + 0.5));
const LOOK_UPS: readonly (readonly [string, (look: number) => LogFilter, expected: number])[] = [
  ['by id', (look) => ({ id: recordOf(numberOf(look)).id }), 1],
  ['by message', (look) => ({ message: messageOf(numberOf(look)) }), 1],
  ['by a message that is unknown', (look) => ({ message: `unknown-${look}` }), 0],
  ['by phone number', (look) => ({ chat: `+${chatOf(numberOf(look))}` }), PAGE],
  ['by instance and event', (look) => ({ instance: `loja-${look}`, event: 'MESSAGES_UPSERT' }), PAGE],
  ['by outcome', () => ({ outcome: 'discarded' }), 0],
];

async function fill(store: LogStore): Promise<void> {
  const limits = { maxAgeMs: 7 * 86_400_000, maxRows: 2 * RECORDS, maxBytes: 1e9 };
  const fail = (error: unknown): never => {
    throw error;
  };
  for (let first = 0; first < RECORDS; first += AT_ONCE) {
    const writer = new LogWriter({ limits, onSkipped: fail, onError: fail });
    for (let number = first; number < Math.min(RECORDS, first + AT_ONCE); number++)
      writer.note(notedOf(recordOf(number)));
    writer.open(store);
    await writer.close();
  }
}

const begun = Date.now() - HOURS * 3_600_000;

function recordOf(number: number): LogRecord {
  return {
    what: 'delivered',
    id: `dlv_${messageOf(number).padEnd(22, 'x')}abcdefgh`,
    destination: 'webhook:global',
    instance: `loja-${number % INSTANCES}`,
    event: 'messages.upsert',
    message: messageOf(number),
    chat: `${chatOf(number)}@s.whatsapp.net`,
    alias: '',
    at: begun + Math.floor((number * HOURS * 3_600_000) / RECORDS),
    attempt: 1,
    durationMs: 20,
    status: 200,
    code: '',
    answer: '',
    bytes: 1200,
  };
}

function messageOf(number: number): string {
  return `3EB0${(number * 2_654_435_761).toString(16).toUpperCase()}`;
}

function chatOf(number: number): string {
  return `55119${String((number * 7919) % CHATS).padStart(8, '0')}`;
}
