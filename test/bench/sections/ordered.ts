import { setTimeout as delay } from 'node:timers/promises';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { drainQueue, type Throughput, text } from './throughput';

const LANES = 1000;
const MODES = { unordered: {}, ordered: { WEBHOOK_GLOBAL_ORDERED: 'instance' } } as const;
type Mode = keyof typeof MODES;
/** Each event comes twice, and no lane has two requests at once. */
const GOAL = 0.7;
const ORDERED_WITHIN_MS = 60_000;

/** What order costs: events of a thousand instances, each of which has a lane. */
export async function measureOrdered(bench: Bench): Promise<void> {
  const { print, options } = bench;
  const measured: Record<Mode, Throughput[]> = { unordered: [], ordered: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const mode of ['unordered', 'ordered'] as const) {
      const start = () => startContestant(bench, 'relay', bench.receiver.url, MODES[mode]);
      const prepare = async (): Promise<void> => {
        if (mode === 'ordered') await switchOn(bench);
      };
      const throughput = await drainQueue(bench, mode, new Events('small', LANES), start, { prepare });
      measured[mode].push(throughput);
      await bench.redis.clear();
      bench.progress(`ordered, round ${round + 1}: ${mode} ${text([throughput])}`);
    }
  }
  heading(print, `Order: ${options.events} events in ${LANES} lanes, median of ${options.rounds}`);
  for (const mode of ['unordered', 'ordered'] as const) figure(print, mode, text(measured[mode]));
  const values = ratios(
    measured.ordered.map(({ rate }) => rate),
    measured.unordered.map(({ rate }) => rate),
  );
  verdict(print, { what: 'ordered / unordered', value: median(values), atLeast: GOAL, rounds: values });
}

/** Until each event comes by the ordered queue. */
async function switchOn(bench: Bench): Promise<void> {
  const child = await startContestant(bench, 'relay', bench.receiver.url, MODES.ordered);
  const deadline = performance.now() + ORDERED_WITHIN_MS;
  while (!(await bench.redis.orderOf('webhook:global')).startsWith('ordered')) {
    child.check();
    if (performance.now() > deadline) throw new Error('the webhook did not become ordered');
    await delay(100);
  }
  await child.stop();
}
