import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { type EventSize, Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { drainQueue, type Throughput, text } from './throughput';

const MODES = { off: undefined, bytes: '{"bytes":true}' } as const;
type Mode = keyof typeof MODES;
const GOAL = 0.6;
/** Text messages of 2.3.6, and pictures with a thumbnail in byte objects. */
const SIZES: readonly EventSize[] = ['small', 'bytes'];

/** What it costs that a destination wants byte objects as base64. */
export async function measureNormalise(bench: Bench): Promise<void> {
  for (const size of SIZES) await measureSize(bench, size);
}

async function measureSize(bench: Bench, size: EventSize): Promise<void> {
  const { print, options } = bench;
  const measured: Record<Mode, Throughput[]> = { off: [], bytes: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const mode of ['off', 'bytes'] as const) {
      const throughput = await drainQueue(bench, `normalise ${mode}`, new Events(size), () =>
        startContestant(bench, 'relay', bench.receiver.url, { WEBHOOK_GLOBAL_NORMALISE: MODES[mode] }),
      );
      measured[mode].push(throughput);
      await bench.redis.clear();
      bench.progress(`normalise ${size}, round ${round + 1}: ${mode} ${text([throughput])}`);
    }
  }
  const kilobytes = (Events.meanBytes(size) / 1000).toFixed(1);
  heading(print, `Normalising: ${options.events} events of ${kilobytes} KB, median of ${options.rounds}`);
  for (const mode of ['off', 'bytes'] as const) figure(print, mode, text(measured[mode]));
  const values = ratios(
    measured.bytes.map(({ rate }) => rate),
    measured.off.map(({ rate }) => rate),
  );
  verdict(print, { what: 'bytes / off', value: median(values), atLeast: GOAL, rounds: values });
}
