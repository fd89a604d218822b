import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { freePort } from '../../support/processes/ports';
import type { Child } from '../child';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events, instanceName } from '../events';
import { type Endpoint, startEndpoint } from '../receivers/endpoint';
import { LatencyReceiver, publishSteadily } from '../receivers/latency';
import { figure, heading, perSecond, verdict } from '../report';
import { median, percentile, ratios } from '../statistics';
import { setWebhooks } from '../webhooks';
import { consuming } from './latency';
import { peakMegabytes } from './memory';
import { follow } from './throughput';

/** Parked for one webhook, for each event of the other sections. */
const PARKED_PER_EVENT = 5;
const INSTANCES = 1000;
/** What the other webhooks get meanwhile, events per second. */
const FRESH = 200;
const QUIET_SECONDS = 8;
const LONGEST_SECONDS = 600;
const GOALS = { rate: 0.6, p99: 2, megabytes: 200 };
const DOWN = 503;
const WELL = 200;
const LOOK_MS = 200;
const ENVIRONMENT = {
  WEBHOOK_GLOBAL_URL: '',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  RABBITMQ_PREFETCH: undefined,
  DELIVERY_CONCURRENCY_PER_DESTINATION: undefined,
  // By default the next attempt may be further away than the bench waits for the first event.
  CIRCUIT_OPEN_SECONDS: '5',
};

interface Drained {
  /** Events per second from the first to the last that was parked. */
  readonly rate: number;
  /** Of the same endpoint with as many fresh events. */
  readonly healthyRate: number;
  /** Milliseconds from publishing to receiving at the other endpoints, before and during. */
  readonly quietP99: number;
  readonly drainingP99: number;
  /** The most memory that the worker ever had. */
  readonly megabytes: number;
}

/** One webhook of a thousand comes back, with a backlog that was parked for it: how fast it goes, and what the others feel. */
export async function measureDrain(bench: Bench): Promise<void> {
  const { print, options } = bench;
  const measured: Drained[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const drained = await measure(bench, options.events * PARKED_PER_EVENT);
    measured.push(drained);
    bench.progress(`drain, round ${round + 1}: ${perSecond(drained.rate)}`);
  }
  const of = (which: keyof Drained): number[] => measured.map((each) => each[which]);
  const parked = options.events * PARKED_PER_EVENT;
  heading(print, `Draining ${parked} parked for one of ${INSTANCES} webhooks, median of ${options.rounds}`);
  figure(print, 'drained', perSecond(median(of('rate'))));
  figure(print, 'the same webhook, fresh events', perSecond(median(of('healthyRate'))));
  figure(print, 'p99 of the others, before', `${median(of('quietP99')).toFixed(1)} ms`);
  figure(print, 'p99 of the others, meanwhile', `${median(of('drainingP99')).toFixed(1)} ms`);
  const rates = ratios(of('rate'), of('healthyRate'));
  verdict(print, { what: 'drained / fresh', value: median(rates), atLeast: GOALS.rate, rounds: rates });
  const p99s = ratios(of('drainingP99'), of('quietP99'));
  verdict(print, {
    what: "the others' p99, meanwhile / before",
    value: median(p99s),
    atMost: GOALS.p99,
    rounds: p99s,
  });
  const megabytes = of('megabytes');
  verdict(print, {
    what: 'resident, at most',
    value: Math.max(...megabytes),
    unit: ' MB',
    atMost: GOALS.megabytes,
    rounds: megabytes,
  });
}

async function measure(bench: Bench, parked: number): Promise<Drained> {
  const { broker, redis } = bench;
  const fresh = await LatencyReceiver.start(bench);
  const back = await startEndpoint(bench, { ms: 0, status: DOWN });
  await setWebhooks(bench, INSTANCES, (number) => (number === 0 ? back.url : `${fresh.url}/${number}`));
  await broker.renewQueue();
  const metricsPort = String(await freePort());
  const child = await startContestant(bench, 'relay', '', { ...ENVIRONMENT, METRICS_PORT: metricsPort });
  await consuming(bench, child);
  await park(bench, parked, `http://127.0.0.1:${metricsPort}/metrics`);
  const events = new OtherEvents();
  const publish = (): void => broker.publishNow(events.routingKey, events.next());
  await publishSteadily(FRESH, QUIET_SECONDS, publish);
  await delay(1000);
  const quietP99 = percentile(await fresh.latencies(), 0.99);
  const rate = await drain(back, parked, child, publish);
  const drainingP99 = percentile(await fresh.latencies(), 0.99);
  const healthyRate = await freshRate(bench, back, bench.options.events, child);
  const megabytes = peakMegabytes(child.pid) ?? 0;
  await child.stop();
  await Promise.all([fresh.stop(), back.stop()]);
  await redis.clear();
  return { rate, healthyRate, quietP99, drainingP99, megabytes };
}

/** Of all instances but the one whose webhook is down. */
class OtherEvents extends Events {
  constructor() {
    super('small', INSTANCES);
  }

  override next(): Buffer {
    const event = super.next(process.hrtime.bigint());
    return event.includes(`"${instanceName(0)}"`) ? super.next(process.hrtime.bigint()) : event;
  }
}

/** Events of the instance that comes first. */
function eventOfFirst(events: Events): Buffer {
  const event = JSON.parse(events.next().toString('utf8')) as { instance: string };
  event.instance = instanceName(0);
  return Buffer.from(JSON.stringify(event));
}

async function park({ broker, progress }: Bench, count: number, metrics: string): Promise<void> {
  const events = new Events('small');
  for (let index = 0; index < count; index++) await broker.publish(events.routingKey, eventOfFirst(events));
  await broker.confirmed();
  for (;;) {
    const { body } = await request(metrics);
    const depths = (await body.text()).matchAll(/^relay_retry_queue_depth\{.*\} (\d+)$/gm);
    const parked = [...depths].reduce((sum, [, depth]) => sum + Number(depth), 0);
    if (parked >= count) return;
    progress(`drain: ${parked} of ${count} are parked`);
    await delay(2000);
  }
}

/** Events per second, while the others get theirs. */
async function drain(back: Endpoint, count: number, child: Child, publish: () => void): Promise<number> {
  back.answer(WELL);
  let isDrained = false;
  const publishing = publishSteadily(FRESH, LONGEST_SECONDS, publish, () => isDrained);
  try {
    const { rate } = await follow(back, 0, count, child);
    return rate;
  } finally {
    isDrained = true;
    await publishing;
  }
}

async function freshRate({ broker }: Bench, back: Endpoint, count: number, child: Child): Promise<number> {
  await delay(LOOK_MS);
  back.answer(WELL);
  const events = new Events('small');
  const following = follow(back, 0, count, child);
  for (let index = 0; index < count; index++) await broker.publish(events.routingKey, eventOfFirst(events));
  return (await following).rate;
}
