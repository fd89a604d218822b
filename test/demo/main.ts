/**
 * `npm run demo`: events as the core API publishes them, through a broker and three relays, to a receiver that is
 * good, one that fails now and then, and one that is down at first. Each receiver counts for itself what it gets.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PrivateSqs } from '../support/servers/sqs-service';
import { addressOf } from './brokers';
import { Ending } from './ending';
import { type Lane, liveName, startLanes } from './lane';
import { Live } from './live';
import { type Options, parseOptions } from './options';
import { createProgress } from './progress';
import { Publications } from './publications';
import { Publisher } from './publisher';
import { RabbitWire } from './rabbit-wire';
import { findings, liveLines, type Report, type Result, reportTable } from './report';
import { SqsWire } from './sqs-wire';
import { addresses, conclusion, introduction } from './story';
import type { Wire } from './wire';

const SHOW_EVERY_MS = 100;
/** A running relay adds to the audit's counters once a second. */
const AUDIT_MS = 1_500;

async function main(): Promise<number> {
  const options = parseOptions(process.argv);
  const ending = new Ending();
  try {
    return await demo(options, ending);
  } catch (error) {
    if (ending.exitCode === undefined) console.error(error instanceof Error ? error.message : error);
    else console.error('Interrupted: clearing away');
    return ending.exitCode ?? 1;
  } finally {
    await ending.run();
  }
}

/** Returns the exit code: 0 only if nothing was lost and everybody agrees on it. */
async function demo({ events, keep, source }: Options, ending: Ending): Promise<number> {
  const publications = new Publications();
  // A name that no other run has: several can share a RabbitMQ and a Redis, and each removes its own.
  const run = `relay-demo-${randomBytes(4).toString('hex')}`;
  const redisUri = addressOf('REDIS_URI');
  const wire = await wireOf(source, run, ending);
  const publisher = new Publisher({ wire, events, publications });
  console.log(introduction(events, publisher.samples, wire));
  const lanes = await startLanes({ wire, redisUri, run, publications, ending });
  const live = await Live.start({ wire, redisUri, name: liveName(run), publications, ending });
  const startedAt = Date.now();
  await relayAll(publisher, lanes, live, events, ending.signal);
  const tookMs = Date.now() - startedAt;
  if (keep) await delay(AUDIT_MS, undefined, { signal: ending.signal });
  else await Promise.all([live, ...lanes].map(({ relay }) => relay.stop()));
  const results = await Promise.all(lanes.map((lane) => resultOf(lane, keep)));
  const report: Report = { published: publisher.confirmed, results, live: await live.result() };
  const found = findings(report);
  console.log(`\n${reportTable(report)}\n\n${liveLines(report)}\n\n${conclusion(report, found, tookMs)}`);
  if (keep) {
    console.log(addresses(wire, redisUri, run, lanes, live));
    await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
  }
  return found.length === 0 ? 0 : 1;
}

async function wireOf(source: Options['source'], run: string, ending: Ending): Promise<Wire> {
  if (source === 'rabbitmq') return new RabbitWire(addressOf('RABBITMQ_URI'), run);
  const service = await PrivateSqs.start();
  ending.add('stopping SQS', () => service.stop());
  return new SqsWire(service);
}

/** From the first event published to the end of the last delivery. */
async function relayAll(
  publisher: Publisher,
  lanes: readonly Lane[],
  live: Live,
  events: number,
  signal: AbortSignal,
): Promise<void> {
  const progress = createProgress(events);
  const show = (): void => {
    progress.show([
      { name: 'published', count: publisher.confirmed, note: '' },
      ...lanes.map(({ stage }) => stage),
      live.stage,
    ]);
  };
  const timer = setInterval(show, SHOW_EVERY_MS);
  try {
    await Promise.all([
      publisher.publishAll(signal),
      ...lanes.map(({ receiver }) => receiver.open(signal)),
      ...lanes.map((lane) => lane.finish(events, signal)),
      live.run(events, () => publisher.confirmed, signal),
    ]);
  } finally {
    clearInterval(timer);
    show();
    progress.stop();
  }
}

async function resultOf({ receiver, relay, metrics }: Lane, isKept: boolean): Promise<Result> {
  return { receiver, metrics, audit: await relay.audit(), exitCode: isKept ? undefined : relay.exitCode };
}

main().then((exitCode) => {
  process.exitCode = exitCode;
});
