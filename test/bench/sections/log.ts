import type { Child } from '../child';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { measureLookUps } from './look-ups';
import { drainQueue, type Throughput, text } from './throughput';

const MODES = { off: '0', on: '604800' } as const;
type Mode = keyof typeof MODES;
const GOAL = 0.95;
/**
 * Of three parts of the events the first is not measured: V8 compiles the log's code then, which each process pays once. What
 * the log takes of each delivery is what is wanted, and it is less than what single runs of a second differ by.
 */
const PARTS = 3;

/** What the delivery log costs: a record of each attempt, written to Redis in the background; and what look-ups in it take. */
export async function measureLog(bench: Bench): Promise<void> {
  await measureCost(bench);
  await measureLookUps(bench);
}

async function measureCost(bench: Bench): Promise<void> {
  const { print, options } = bench;
  const count = PARTS * options.events;
  const measured: Record<Mode, Throughput[]> = { off: [], on: [] };
  for (let round = 0; round < options.rounds; round++) {
    // Another one begins in each round.
    for (const mode of round % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
      const start = (): Promise<Child> =>
        startContestant(bench, 'relay', bench.receiver.url, { DELIVERY_LOG_SECONDS: MODES[mode] });
      const throughput = await drainQueue(bench, `log ${mode}`, new Events('small'), start, {
        count,
        from: options.events,
      });
      measured[mode].push(throughput);
      await bench.redis.clear();
      bench.progress(`log, round ${round + 1}: ${mode} ${text([throughput])}`);
    }
  }
  heading(
    print,
    `Delivery log: ${count} events from RabbitMQ, the first third not measured, median of ${options.rounds}`,
  );
  for (const mode of ['off', 'on'] as const) figure(print, mode, text(measured[mode]));
  const values = ratios(
    measured.on.map(({ rate }) => rate),
    measured.off.map(({ rate }) => rate),
  );
  verdict(print, { what: 'on / off', value: median(values), atLeast: GOAL, rounds: values });
}
