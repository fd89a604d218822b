import { type Contestant, startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { startEndpoint } from '../receivers/endpoint';
import { figure, heading, perSecond, verdict } from '../report';
import { median, ratios } from '../statistics';
import { drainQueue } from './throughput';

/** A burst: what one destination has to take at once. */
const EVENTS = 10_000;
/** How long the endpoint takes, and how many requests it serves at a time; it queues the rest. */
const ENDPOINTS = [
  { ms: 50, places: 0 },
  { ms: 200, places: 0 },
  { ms: 50, places: 100 },
  { ms: 200, places: 100 },
] as const;
type Endpoint = (typeof ENDPOINTS)[number];
/** Fixed numbers of requests at once, of which the best one is the measure. */
const FIXED = [100, 250, 500, 1000, 2000];
/** As many requests as there are events: the core API sets no limit. */
const UNBOUNDED = 10_000;
/** Events that the unbounded one failed at come once more. */
const SETTLE_MS = 5000;
const GOAL = { best: 0.85, inProcess: 1 };

/** One ordinary endpoint that takes its time, and a burst of events for it. */
export async function measureEndpoints(bench: Bench): Promise<void> {
  for (const endpoint of ENDPOINTS) await measureEndpoint(bench, endpoint);
}

async function measureEndpoint(bench: Bench, endpoint: Endpoint): Promise<void> {
  const { print, options } = bench;
  const fixed = new Map<number, number>();
  for (const concurrency of FIXED)
    fixed.set(concurrency, await measure(bench, endpoint, 'bare', concurrency));
  const [best] = [...fixed].sort(([, a], [, b]) => b - a)[0] ?? [FIXED[0] ?? 0];
  const rates = { bare: [] as number[], inProcess: [] as number[], relay: [] as number[] };
  for (let round = 0; round < options.rounds; round++) {
    rates.relay.push(await measure(bench, endpoint, 'relay'));
    rates.bare.push(await measure(bench, endpoint, 'bare', best));
    rates.inProcess.push(await measure(bench, endpoint, 'in-process', UNBOUNDED));
  }
  heading(print, `Endpoint of ${nameOf(endpoint)}: a burst of ${EVENTS} events, median of ${options.rounds}`);
  for (const [concurrency, rate] of fixed) figure(print, `bare, ${concurrency} at once`, perSecond(rate));
  figure(print, 'in-process, unbounded', perSecond(median(rates.inProcess)));
  figure(print, 'relay', perSecond(median(rates.relay)));
  const toBest = ratios(rates.relay, rates.bare);
  verdict(print, {
    what: `relay / bare, ${best} at once`,
    value: median(toBest),
    atLeast: GOAL.best,
    rounds: toBest,
  });
  const toCore = ratios(rates.relay, rates.inProcess);
  verdict(print, {
    what: 'relay / in-process',
    value: median(toCore),
    atLeast: GOAL.inProcess,
    rounds: toCore,
  });
}

function nameOf({ ms, places }: Endpoint): string {
  return places === 0 ? `${ms} ms` : `${ms} ms that serves ${places} at a time`;
}

/** Events per second, ramp included. */
async function measure(
  bench: Bench,
  endpoint: Endpoint,
  contestant: Contestant,
  concurrency?: number,
): Promise<number> {
  const receiver = await startEndpoint(bench, endpoint);
  const limits =
    concurrency === undefined
      ? { RABBITMQ_PREFETCH: undefined, DELIVERY_CONCURRENCY_PER_DESTINATION: undefined }
      : {
          RABBITMQ_PREFETCH: String(concurrency),
          DELIVERY_CONCURRENCY_PER_DESTINATION: String(concurrency),
        };
  const { rate } = await drainQueue(
    { ...bench, receiver, options: { ...bench.options, events: EVENTS } },
    contestant,
    new Events('small'),
    () => startContestant(bench, contestant, receiver.url, limits),
    { settleMs: SETTLE_MS },
  );
  await receiver.stop();
  await bench.redis.clear();
  bench.progress(`endpoint of ${nameOf(endpoint)}: ${contestant} ${concurrency ?? ''} ${perSecond(rate)}`);
  return rate;
}
