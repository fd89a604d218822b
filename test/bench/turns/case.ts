import { LongestStep } from '../../support/signals/longest-step';
import { amqpExchanges } from './amqp-exchanges';
import { maliciousReceivers } from './malicious-receivers';
import { largeMessage } from './messages';
import { sqsQueues } from './sqs-queues';

/** Runs a piece of work, whose longest turn in milliseconds is what is wanted. */
export type Measure = (work: () => Promise<unknown> | unknown) => Promise<number>;

/** Each case runs in a process of its own, which prepares, warms up, and measures. */
const CASES: Readonly<Record<string, (measure: Measure) => Promise<number[]>>> = {
  'sqs queues': sqsQueues,
  'amqp exchanges': amqpExchanges,
  'malicious receivers': maliciousReceivers,
  'message of 8 MB base64': (measure) => largeMessage(measure, 8, 'base64'),
  'message of 32 MB base64': (measure) => largeMessage(measure, 32, 'base64'),
  'message of 100 MB base64': (measure) => largeMessage(measure, 100, 'base64'),
  'message of 8 MB dense': (measure) => largeMessage(measure, 8, 'dense'),
  'message of 32 MB dense': (measure) => largeMessage(measure, 32, 'dense'),
  'message of 100 MB dense': (measure) => largeMessage(measure, 100, 'dense'),
};

async function measure(work: () => Promise<unknown> | unknown): Promise<number> {
  // What the preparation left to the loop is no part of it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const step = new LongestStep();
  await work();
  await new Promise(setImmediate);
  return step.end();
}

async function main(name: string): Promise<void> {
  const found = CASES[name];
  if (found === undefined) throw new Error(`there is no case ${name}`);
  const turns = await found(measure);
  process.send?.(turns, () => process.exit());
}

void main(process.argv[2] ?? '');
