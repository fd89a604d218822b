/**
 * Runs events through the pipeline, in a process of its own: prints the most that their bodies took at once, in bytes, and what became
 * old of each event, in the sense of V8's collector, and stays until the next full collection.
 * Needs `--expose-gc` (memory.test.ts). Arguments: events, bytes of each.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { DestinationId, Outcome } from '../../../src/pipeline/delivery';
import { destinationKey } from '../../../src/pipeline/delivery';
import { Relay } from '../../../src/pipeline/relay';
import { route } from '../../../src/pipeline/route';
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

const [events = 0, bytes = 0] = process.argv.slice(2).map(Number);
const harness = new PipelineHarness({ perDestination: 32, maxBytes: 1e9, maxHeld: HELD });
const ends: (() => void)[] = [];
const destination = {
  id: 'webhook:global' as DestinationId,
  kind: 'webhook',
  maxAttempts: 10,
  timeoutMs: 30_000,
  shares: [],
  start: () => ({
    outcome: new Promise<Outcome>((resolve) => ends.push(() => resolve(DELIVERED))),
    abort: () => {},
  }),
  close: async () => {},
};
const subscriptions = [{ destination, key: destinationKey(destination.id), events: 'all' as const }];
const nothing = (): void => {};
const relay = new Relay({
  route: (envelope) => route(envelope, subscriptions),
  directAttempts: harness.directAttempts,
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

function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;
}

function receive(): void {
  const text = eventBody(++tag, { filler });
  // Memory of its own for each, as what comes from the network has.
  const content = Buffer.allocUnsafeSlow(text.length);
  text.copy(content);
  const message = {
    content,
    fields: { deliveryTag: tag, redelivered: false },
    properties: {},
  } as ConsumeMessage;
  acknowledgements.hold(message);
  relay.handle('rabbitmq', new RabbitMqMessage(message, { routingKey: 'a.b' }, channel));
}

function turn(): void {
  for (let count = 0; count < TURN && tag < events && relay.openMessages < HELD; count++) receive();
  for (const end of ends.splice(0)) end();
  // The harness keeps what a test looks at.
  harness.records.splice(0);
  if (!isAged && tag >= AGEING_AFTER) age();
  if (warm.events === 0 && tag >= events / 2) warm = { events: tag, bytes: oldBytes() };
  peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  if (tag < events || relay.openMessages > 0) setImmediate(turn);
  else {
    process.stdout.write(`${peak} ${(oldBytes() - warm.bytes) / (tag - warm.events)}`);
    acknowledgements.close();
  }
}

function age(): void {
  isAged = true;
  for (let count = 0; count < 2; count++) global.gc?.({ type: 'minor' });
}

turn();
