import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { setWebhooks } from '../webhooks';
import { drainQueue, type Throughput, text } from './throughput';

const [FEW, MANY] = [10, 10_000];
const GOAL = 0.9;
/** So many that each instance is heard of again and again; the first event of each costs a look at Redis. */
const EVENTS_PER_INSTANCE = 10;
/** No global webhook: every event goes to its instance's own. */
const ENVIRONMENT = { WEBHOOK_GLOBAL_URL: '', WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' };

/** What it costs that instances have webhooks of their own, and that they are many. */
export async function measureInstances(bench: Bench): Promise<void> {
  const events = MANY * EVENTS_PER_INSTANCE;
  await compare(bench, `${events} events, once each instance was heard of`, events, MANY, GOAL);
  const few = bench.options.events;
  await compare(bench, `${few} events, half of the many the first of their instance`, few, 1);
}

/** The many beside the few, measured from one event on; without a goal only told. */
async function compare(
  bench: Bench,
  what: string,
  events: number,
  from: number,
  atLeast?: number,
): Promise<void> {
  const { print } = bench;
  const measured = new Map<number, Throughput[]>([FEW, MANY].map((count) => [count, []]));
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const [count, throughputs] of measured) {
      const throughput = await measure({ ...bench, options: { ...bench.options, events } }, count, from);
      throughputs.push(throughput);
      bench.progress(`instances, round ${round + 1}: ${count} instances ${text([throughput])}`);
    }
  }
  heading(print, `Instances with webhooks of their own: ${what}, median of ${bench.options.rounds}`);
  for (const [count, throughputs] of measured) figure(print, `${count} instances`, text(throughputs));
  const ratesOf = (count: number) => (measured.get(count) ?? []).map(({ rate }) => rate);
  const values = ratios(ratesOf(MANY), ratesOf(FEW));
  const name = `${MANY} / ${FEW}`;
  if (atLeast === undefined) figure(print, name, median(values).toFixed(2));
  else verdict(print, { what: name, value: median(values), atLeast, rounds: values });
}

async function measure(bench: Bench, instances: number, from: number): Promise<Throughput> {
  await setWebhooks(bench, instances, (number) => `${bench.receiver.url}/${number}`);
  const start = () => startContestant(bench, 'relay', '', ENVIRONMENT);
  const events = new Events('small', instances);
  const throughput = await drainQueue(bench, `${instances} instances`, events, start, { from });
  await bench.redis.clear();
  return throughput;
}
