import { setTimeout as delay } from 'node:timers/promises';
import { Autoscaler } from '../../support/scaling/autoscaler';
import type { Child } from '../child';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { startEndpoint } from '../receivers/endpoint';
import type { Receiver } from '../receivers/receiver';
import { figure, heading, perSecond, verdict } from '../report';
import { median, ratios } from '../statistics';

const LATENCY_MS = 20;
/** Requests of one worker at once: its pace is this many in 20 ms, and nothing else. */
const AT_ONCE = 8;
const MOST_WORKERS = 4;
const GOAL = 3.6;
/** Of each worker. */
const EVENTS = 2000;
/** Of a run, until every worker is busy. */
const RAMP = 0.1;
/** Against the events of other measurements: 50,000. */
const SURGE = 2.5;
const RULES = { target: 2000, min: 1, max: MOST_WORKERS, cooldownMs: 3000 };
const LOOK_MS = 500;
const POLL_MS = 5;
const LIMITS = {
  DELIVERY_CONCURRENCY: String(AT_ONCE),
  DELIVERY_CONCURRENCY_PER_DESTINATION: String(AT_ONCE),
  RABBITMQ_PREFETCH: String(5 * AT_ONCE),
};

/** What more workers bring where each of them waits for its receiver; and a surge that they are started and stopped for. */
export async function measureScaling(bench: Bench): Promise<void> {
  const endpoint = await startEndpoint(bench, { ms: LATENCY_MS });
  const scaled = { ...bench, receiver: endpoint };
  const one: number[] = [];
  const all: number[] = [];
  for (let round = 0; round < bench.options.rounds; round++) {
    one.push(await rateOf(scaled, 1));
    all.push(await rateOf(scaled, MOST_WORKERS));
    bench.progress(
      `scaling, round ${round + 1}: ${perSecond(one[round] ?? 0)}, ${perSecond(all[round] ?? 0)}`,
    );
  }
  heading(bench.print, `Scaling: a receiver of ${LATENCY_MS} ms, ${AT_ONCE} requests at once by each worker`);
  figure(bench.print, '1 worker', perSecond(median(one)));
  figure(bench.print, `${MOST_WORKERS} workers`, perSecond(median(all)));
  const times = ratios(all, one);
  verdict(bench.print, {
    what: `${MOST_WORKERS} workers / 1`,
    value: median(times),
    atLeast: GOAL,
    rounds: times,
  });
  await measureSurge(scaled);
  await endpoint.stop();
}

/** Events per second of so many workers that have a backlog. */
async function rateOf(bench: Bench, count: number): Promise<number> {
  const { broker, receiver } = bench;
  await broker.renewQueue();
  const workers: Child[] = [];
  for (let index = 0; index < count; index++) workers.push(await start(bench));
  while ((await broker.consumers()) < count) await delay(LOOK_MS);
  const before = await receiver.received();
  await publish(bench, EVENTS * count);
  const ramp = await whenReceived(receiver, before + EVENTS * count * RAMP);
  const end = await whenReceived(receiver, before + EVENTS * count);
  await Promise.all(workers.map((worker) => worker.stop()));
  await bench.redis.clear();
  return ((end.count - ramp.count) / (end.at - ramp.at)) * 1000;
}

/** A full queue, and as many workers as its depth asks for, until it is empty. */
async function measureSurge(bench: Bench): Promise<void> {
  const { broker, receiver, options } = bench;
  const events = options.events * SURGE;
  await broker.renewQueue();
  const before = await receiver.received();
  await publish(bench, events);
  const scaler = new Autoscaler(RULES);
  const workers: Child[] = [];
  const ending: Promise<void>[] = [];
  const sizes: number[] = [];
  const begunAt = performance.now();
  while ((await receiver.received()) - before < events) {
    const wanted = scaler.decide(await broker.left(), performance.now());
    while (workers.length < wanted) workers.push(await start(bench));
    while (workers.length > wanted) ending.push(workers.pop()?.stop() ?? Promise.resolve());
    if (sizes.at(-1) !== workers.length) sizes.push(workers.length);
    await delay(LOOK_MS);
  }
  const seconds = (performance.now() - begunAt) / 1000;
  await Promise.all([...ending, ...workers.map((worker) => worker.stop())]);
  const received = (await receiver.received()) - before;
  heading(
    bench.print,
    `A surge of ${events} events, workers by the depth of the queue (${RULES.target} each)`,
  );
  figure(bench.print, 'workers', sizes.join(' → '));
  figure(bench.print, 'drained in', `${seconds.toFixed(1)} s`);
  verdict(bench.print, { what: 'left in the queue', value: await broker.left(), atMost: 0 });
  verdict(bench.print, { what: 'received more than published', value: received - events, atMost: 0 });
  await bench.redis.clear();
}

function start(bench: Bench): Promise<Child> {
  return startContestant(bench, 'relay', bench.receiver.url, LIMITS);
}

async function publish({ broker }: Bench, count: number): Promise<void> {
  const events = new Events('small');
  for (let index = 0; index < count; index++) await broker.publish(events.routingKey, events.next());
  await broker.confirmed();
}

async function whenReceived(receiver: Receiver, count: number): Promise<{ count: number; at: number }> {
  for (;;) {
    const received = await receiver.received();
    if (received >= count) return { count: received, at: performance.now() };
    await delay(POLL_MS);
  }
}
