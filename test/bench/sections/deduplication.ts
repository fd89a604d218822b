import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { drainQueue, type Throughput, text } from './throughput';

const MODES = { off: '0', on: '300' } as const;
type Mode = keyof typeof MODES;
/** A round trip to Redis for each turn of the event loop. */
const GOAL = 0.5;

/** What DEDUPLICATION_SECONDS costs where it is on: every event is claimed in Redis, and written down there. */
export async function measureDeduplication(bench: Bench): Promise<void> {
  const { print, options } = bench;
  const measured: Record<Mode, Throughput[]> = { off: [], on: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const mode of ['off', 'on'] as const) {
      const throughput = await drainQueue(bench, `deduplication ${mode}`, new Events('small'), () =>
        startContestant(bench, 'relay', bench.receiver.url, { DEDUPLICATION_SECONDS: MODES[mode] }),
      );
      measured[mode].push(throughput);
      await bench.redis.clear();
      bench.progress(`deduplication, round ${round + 1}: ${mode} ${text([throughput])}`);
    }
  }
  heading(print, `Deduplication: ${options.events} events from RabbitMQ, median of ${options.rounds}`);
  for (const mode of ['off', 'on'] as const) figure(print, mode, text(measured[mode]));
  const values = ratios(
    measured.on.map(({ rate }) => rate),
    measured.off.map(({ rate }) => rate),
  );
  verdict(print, { what: 'on / off', value: median(values), atLeast: GOAL, rounds: values });
}
