/**
 * `npm run demo`: events as the core API publishes them, through RabbitMQ and three relays, to a receiver that is
 * good, one that fails now and then, and one that is down at first. Each receiver counts for itself what it gets.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { brokersFrom } from './brokers';
import { Ending } from './ending';
import { type Lane, liveName, startLanes } from './lane';
import { Live } from './live';
import { type Options, parseOptions } from './options';
import { createProgress } from './progress';
import { Publications } from './publications';
import { Publisher } from './publisher';
import { findings, liveLines, type Report, type Result, reportTable } from './report';
import { addresses, conclusion, introduction } from './story';

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
async function demo({ events, keep }: Options, ending: Ending): Promise<number> {
  const brokers = brokersFrom(process.env);
  const publications = new Publications();
  // A name that no other run has: several can share a RabbitMQ and a Redis, and each removes its own.
  const exchange = `relay-demo-${randomBytes(4).toString('hex')}`;
  const publisher = new Publisher({ brokers, exchange, events, publications });
  console.log(introduction(events, publisher.samples));
  const lanes = await startLanes({ brokers, exchange, publications, ending });
  const live = await Live.start({ brokers, exchange, name: liveName(exchange), publications, ending });
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
    console.log(addresses(brokers, exchange, lanes, live));
    await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
  }
  return found.length === 0 ? 0 : 1;
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
