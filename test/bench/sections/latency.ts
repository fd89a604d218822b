import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../child';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { LatencyReceiver, publishSteadily } from '../receivers/latency';
import { figure, heading, verdict } from '../report';
import { median, percentile, ratios } from '../statistics';

const PER_SECOND = 1000;
const SECONDS = 10;
/** Published before what counts, and waited for: connections are open then, and V8 has compiled. */
const WARM_UP_SECONDS = 4;
const GOAL = 1.5;
const LATE_MS = 20_000;
const CONTESTANTS = ['bare', 'relay'] as const;
type Contestant = (typeof CONTESTANTS)[number];

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds from publishing to the event's last byte at the receiver, at a steady load far below the limit. */
export async function measureLatency(bench: Bench): Promise<void> {
  const measured: Record<Contestant, Latency[]> = { bare: [], relay: [] };
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const contestant of round % 2 === 0 ? CONTESTANTS : [...CONTESTANTS].reverse()) {
      const latency = await measure(bench, contestant);
      measured[contestant].push(latency);
      bench.progress(`latency, round ${round + 1}: ${contestant} ${text([latency])}`);
    }
  }
  heading(
    bench.print,
    `Latency: publish to received, ${PER_SECOND} events/s for ${SECONDS} s, median of ${bench.options.rounds}`,
  );
  for (const contestant of CONTESTANTS) figure(bench.print, contestant, text(measured[contestant]));
  const p50s = ratios(...both(measured, 'p50'));
  figure(bench.print, 'relay / bare, p50', median(p50s).toFixed(2));
  const p99s = ratios(...both(measured, 'p99'));
  verdict(bench.print, { what: 'relay / bare, p99', value: median(p99s), atMost: GOAL, rounds: p99s });
}

function both(measured: Record<Contestant, Latency[]>, which: keyof Latency): [number[], number[]] {
  return [measured.relay.map((latency) => latency[which]), measured.bare.map((latency) => latency[which])];
}

function text(latencies: readonly Latency[]): string {
  const of = (which: keyof Latency): string => median(latencies.map((latency) => latency[which])).toFixed(2);
  return `p50 ${of('p50')} ms, p99 ${of('p99')} ms`;
}

async function measure(bench: Bench, contestant: Contestant): Promise<Latency> {
  const { broker, redis } = bench;
  const receiver = await LatencyReceiver.start(bench);
  await broker.renewQueue();
  const child = await startContestant(bench, contestant, receiver.url);
  await consuming(bench, child);
  const events = new Events('small');
  await publishSteadily(PER_SECOND, WARM_UP_SECONDS, () =>
    broker.publishNow(events.routingKey, events.next()),
  );
  await untilReceived(WARM_UP_SECONDS * PER_SECOND, receiver, child);
  await publishSteadily(PER_SECOND, SECONDS, () =>
    broker.publishNow(events.routingKey, events.next(process.hrtime.bigint())),
  );
  await untilReceived((WARM_UP_SECONDS + SECONDS) * PER_SECOND, receiver, child);
  const latencies = await receiver.latencies();
  await child.stop();
  await receiver.stop();
  await redis.clear();
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** What is published before anybody consumes would keep what comes later waiting. */
export async function consuming({ broker }: Bench, child: Child): Promise<void> {
  while (!(await broker.hasConsumer())) {
    child.check();
    await delay(20);
  }
}

async function untilReceived(count: number, receiver: LatencyReceiver, child: Child): Promise<void> {
  const deadline = Date.now() + LATE_MS;
  while ((await receiver.received()) < count) {
    child.check();
    if (Date.now() > deadline) throw new Error('not every event was received');
    await delay(100);
  }
}
