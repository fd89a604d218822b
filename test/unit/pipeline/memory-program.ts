/**
 * Runs events through the pipeline, in a process of its own: prints the most that their bodies took at once, in bytes, and what became
 * old of each event, in the sense of V8's collector, and stays until the next full collection.
 * Needs `--expose-gc` (memory.test.ts). Arguments: the way that they go, events, bytes of each.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import type { Channel, ConsumeMessage } from 'amqplib';
import { RedisDeduplication } from '../../../src/deduplication/redis-deduplication';
import { sharesOf } from '../../../src/destinations/shares-of';
import { normalised } from '../../../src/events/normalise';
import type { Destination, DestinationId, Outcome } from '../../../src/pipeline/delivery';
import { destinationKey } from '../../../src/pipeline/delivery';
import type { Limits } from '../../../src/pipeline/destination-limits';
import { Lanes } from '../../../src/pipeline/lanes';
import { Relay } from '../../../src/pipeline/relay';
import { route, type Subscription } from '../../../src/pipeline/route';
import { Acknowledgements } from '../../../src/sources/rabbitmq/acknowledgements';
import { RabbitMqMessage } from '../../../src/sources/rabbitmq/rabbitmq-message';
import { DELIVERED, PipelineHarness } from '../../support/harness/pipeline-harness';
import { eventBody } from '../../support/values/events';

/** Messages that are held at once, as a prefetch. */
const HELD = 250;
/** Messages that come in one turn of the event loop. */
const TURN = 50;
/** After so many messages two collections follow each other so quickly that all that is held becomes old. */
const AGEING_AFTER = 2000;

/** Chats that events are about, in turns. */
const CHATS = 500;
/** Instances with a webhook each, where there are any. */
const INSTANCES = 40;

interface Way {
  readonly limits?: Limits;
  /** Each instance has a webhook of its own, instead of one that all have together. */
  readonly hasInstances?: true;
  /** Attempts at once to each destination. */
  readonly concurrency?: number;
  readonly deduplicates?: true;
  /** Destinations want bytes as base64. */
  readonly normalises?: true;
  /** What the event with this number says. */
  readonly said?: (number: number) => Readonly<Record<string, unknown>>;
}

const WAYS: Readonly<Record<string, Way>> = {
  direct: {},
  instances: { hasInstances: true },
  turns: { hasInstances: true, concurrency: 1 },
  deduplication: { hasInstances: true, deduplicates: true },
  lanes: {
    ...{ hasInstances: true, limits: { ordered: 'chat' } },
    said: (number) => ({ data: { key: { remoteJid: chatOf(7919 * number), id: `3EB0${number}` } } }),
  },
  // Something that might be bytes, and is not.
  normalise: { normalises: true, said: () => ({ data: { votes: { '0': 'yes', '1': 'no' } } }) },
  coalesce: {
    limits: { coalesce: { events: new Set(['MESSAGES_UPDATE']), withinMs: 1e9 } },
    said: (number) => ({
      event: 'messages.update',
      date_time: new Date(1.7e12 + number).toISOString(),
      data: { remoteJid: chatOf(number), id: `3EB0${number}` },
    }),
  },
};

const [wayName = '', ...sizes] = process.argv.slice(2);
const [events = 0, bytes = 0] = sizes.map(Number);
const way = WAYS[wayName];
if (way === undefined) throw new Error(`no such way: ${wayName}`);
const perDestination = way.concurrency ?? 32;
const harness = new PipelineHarness({ perDestination, maxBytes: 1e9, maxHeld: HELD });
const ends: (() => void)[] = [];
const nothing = (): void => {};
const subscriptions = Array.from({ length: way.hasInstances ? INSTANCES : 1 }, (_, number) =>
  subscriptionOf(number),
);
const lanes = new Lanes({
  directAttempts: harness.directAttempts,
  store: {
    look: async (asked) => asked.map(() => ({ isWaiting: false, gap: undefined })),
    append: () => Promise.reject(new Error('nothing is to be stored')),
    gapTold: nothing,
  },
  ...{ clock: harness.attempts.clock, mostHeld: HELD, onError: nothing },
});
const deduplication = way.deduplicates ? openDeduplication() : undefined;
const relay = new Relay({
  route: (envelope) => route(envelope, [subscriptions[Number(envelope.instance)] ?? subscriptionOf(0)]),
  directAttempts: lanes,
  ...(deduplication === undefined ? {} : { deduplication }),
  countDelivered: nothing,
  countDiscarded: nothing,
  buryMalformed: async () => {},
  observer: {
    ...{ received: nothing, duplicate: nothing, malformed: nothing, settled: nothing },
    filtered: nothing,
    unwanted: nothing,
  },
});
const acknowledgements = new Acknowledgements({ ack: nothing, nack: nothing } as unknown as Channel);
const channel = {
  isLost: false,
  settle: (message: ConsumeMessage) => acknowledgements.settle(message, 'ack'),
};
const filler = 'x'.repeat(bytes);
let tag = 0;
let peak = 0;
let isAged = false;
/** The old generation when the pipeline was in full swing, and after how many events. */
let warm = { events: 0, bytes: 0 };

function chatOf(number: number): string {
  return `55119${number % CHATS}@s.whatsapp.net`;
}

function subscriptionOf(number: number): Subscription {
  const id = (way?.hasInstances ? `webhook:instance/${number}` : 'webhook:global') as DestinationId;
  const destination: Destination = {
    ...{ id, kind: 'webhook', maxAttempts: 10, timeoutMs: 30_000, limits: way?.limits ?? {} },
    shares: sharesOf(id, 0.2, `https://${number}.example`),
    start: ({ envelope }) => {
      if (way?.normalises) normalised(envelope, { bytes: true });
      return {
        outcome: new Promise<Outcome>((resolve) => ends.push(() => resolve(DELIVERED))),
        abort: nothing,
      };
    },
    close: async () => {},
  };
  return { destination, key: destinationKey(id), events: 'all' };
}

/** Over a Redis that answers in another turn of the event loop, and has seen nothing. */
function openDeduplication(): RedisDeduplication {
  const run = async (_script: string, args: readonly unknown[]): Promise<unknown> => {
    await new Promise(setImmediate);
    return args.map(() => 0);
  };
  return new RedisDeduplication({ store: { prefix: 'x', run }, rememberMs: 1000, onError: nothing });
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;
}

function receive(): void {
  const instance = String(++tag % subscriptions.length);
  const text = eventBody(tag, { filler, instance, ...way?.said?.(tag) });
  // Memory of its own for each, as what comes from the network has.
  const content = Buffer.allocUnsafeSlow(text.length);
  text.copy(content);
  const message = {
    content,
    fields: { deliveryTag: tag, redelivered: false },
    properties: {},
  } as ConsumeMessage;
  acknowledgements.hold(message, 'relay');
  const received = new RabbitMqMessage(message, { routingKey: 'a.b' }, channel);
  if (way?.limits?.ordered !== undefined) received.copy = 'ordered';
  relay.handle('rabbitmq', received);
}

function turn(): void {
  for (let count = 0; count < TURN && tag < events && relay.openMessages < HELD; count++) receive();
  for (const end of ends.splice(0)) end();
  // The harness keeps what a test looks at.
  harness.records.splice(0);
  harness.parking.begun.splice(0);
  if (!isAged && tag >= AGEING_AFTER) age();
  if (warm.events === 0 && tag >= events / 2) warm = { events: tag, bytes: oldBytes() };
  peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  if (tag < events || relay.openMessages > 0) setImmediate(turn);
  else {
    process.stdout.write(`${peak} ${(oldBytes() - warm.bytes) / (tag - warm.events)}`);
    acknowledgements.close();
    void deduplication?.close();
  }
}

function age(): void {
  isAged = true;
  for (let count = 0; count < 2; count++) global.gc?.({ type: 'minor' });
}

turn();
