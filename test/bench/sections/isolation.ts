import { freePort } from '../../support/processes/ports';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { startEndpoint } from '../receivers/endpoint';
import { figure, heading, perSecond, verdict } from '../report';
import { median, ratios } from '../statistics';
import { setWebhooks } from '../webhooks';
import { drainQueue } from './throughput';

const INSTANCES = 20;
const GOAL = 0.95;
/** No global webhook: every event goes to its instance's own. The relay's own limits hold. */
const ENVIRONMENT = {
  WEBHOOK_GLOBAL_URL: '',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  RABBITMQ_PREFETCH: undefined,
  DELIVERY_CONCURRENCY_PER_DESTINATION: undefined,
};
/** What the webhook of one of the instances does; `well` is the measure. */
const CONDUCT = ['well', 'hangs 30 s', 'takes 5 s', 'answers 500', 'refuses'] as const;
type Conduct = (typeof CONDUCT)[number];
/** The last events of the one that is not well wait for their turn, or until they are slow. */
const SETTLE_MS = 3000;

/** What the healthy webhooks get while one of them is not. */
export async function measureIsolation(bench: Bench): Promise<void> {
  const { print, options } = bench;
  const rates = new Map<Conduct, number[]>(CONDUCT.map((conduct) => [conduct, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [conduct, all] of rates) {
      const rate = await measure(bench, conduct);
      all.push(rate);
      bench.progress(`isolation, round ${round + 1}: one ${conduct}, the others ${perSecond(rate)}`);
    }
  }
  const well = rates.get('well') ?? [];
  heading(print, `Isolation: ${INSTANCES} webhooks of which one fails, median of ${options.rounds}`);
  figure(print, 'all are well', perSecond(median(well)));
  for (const [conduct, all] of rates) {
    if (conduct === 'well') continue;
    const values = ratios(all, well);
    verdict(print, { what: `one ${conduct}`, value: median(values), atLeast: GOAL, rounds: values });
  }
}

/** Events per second of those that are well. */
async function measure(bench: Bench, conduct: Conduct): Promise<number> {
  const { receiver } = bench;
  const sick = await startSick(bench, conduct);
  await setWebhooks(bench, INSTANCES, (number) => (number === 0 ? sick.url : `${receiver.url}/${number}`));
  const { rate } = await drainQueue(
    bench,
    `isolation, one ${conduct}`,
    new Events('small', INSTANCES),
    () => startContestant(bench, 'relay', '', ENVIRONMENT),
    { expected: Math.floor((bench.options.events * (INSTANCES - 1)) / INSTANCES), settleMs: SETTLE_MS },
  );
  await sick.stop();
  await bench.redis.clear();
  return rate;
}

interface Sick {
  readonly url: string;
  stop(): Promise<unknown>;
}

async function startSick(bench: Bench, conduct: Conduct): Promise<Sick> {
  switch (conduct) {
    case 'well':
      return startEndpoint(bench, { ms: 0 });
    case 'hangs 30 s':
      return startEndpoint(bench, { ms: 30_000 });
    case 'takes 5 s':
      return startEndpoint(bench, { ms: 5000 });
    case 'answers 500':
      return startEndpoint(bench, { ms: 0, status: 500 });
    case 'refuses':
      return { url: `http://127.0.0.1:${await freePort()}/webhook`, stop: () => Promise.resolve() };
  }
}
