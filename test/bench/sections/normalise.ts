import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { type EventSize, Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { drainQueue, type Throughput, text } from './throughput';

const MODES = {
  off: {},
  bytes: { WEBHOOK_GLOBAL_NORMALISE: '{"bytes":true}' },
  lid: { WEBHOOK_GLOBAL_NORMALISE: '{"lid":true}' },
  media: {
    WEBHOOK_GLOBAL_NORMALISE: '{"media":"link"}',
    GATEWAY_URL: 'https://relay.example.com',
  },
} as const;
type Mode = keyof typeof MODES;
const GOAL = 0.6;
/** Text messages of 2.3.6 with a LID, pictures with a thumbnail in byte objects and a LID, and pictures in base64. */
const ASKED: Readonly<Record<EventSize, readonly Mode[]>> = {
  small: ['bytes', 'lid', 'media'],
  bytes: ['bytes', 'lid'],
  large: ['media'],
};
const SIZES = ['small', 'bytes', 'large'] as const;

/** What it costs that a destination wants byte objects as base64, numbers for LIDs, or links for media. */
export async function measureNormalise(bench: Bench): Promise<void> {
  for (const size of SIZES) await measureSize(bench, size);
}

async function measureSize(bench: Bench, size: EventSize): Promise<void> {
  const { print, options } = bench;
  const modes: readonly Mode[] = ['off', ...ASKED[size]];
  const measured: Record<Mode, Throughput[]> = { off: [], bytes: [], lid: [], media: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const mode of modes) {
      const throughput = await drainQueue(bench, `normalise ${mode}`, new Events(size), () =>
        startContestant(bench, 'relay', bench.receiver.url, MODES[mode]),
      );
      measured[mode].push(throughput);
      await bench.redis.clear();
      bench.progress(`normalise ${size}, round ${round + 1}: ${mode} ${text([throughput])}`);
    }
  }
  const kilobytes = (Events.meanBytes(size) / 1000).toFixed(1);
  heading(print, `Normalising: ${options.events} events of ${kilobytes} KB, median of ${options.rounds}`);
  for (const mode of modes) figure(print, mode, text(measured[mode]));
  const ratesOf = (mode: Mode): number[] => measured[mode].map(({ rate }) => rate);
  for (const mode of ASKED[size]) {
    const values = ratios(ratesOf(mode), ratesOf('off'));
    verdict(print, { what: `${mode} / off`, value: median(values), atLeast: GOAL, rounds: values });
  }
}
