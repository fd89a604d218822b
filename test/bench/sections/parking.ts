import { Child } from '../child';
import type { Bench } from '../context';
import { figure, heading, perSecond, verdict } from '../report';
import { median, ratios } from '../statistics';

const GOALS = { rate: 0.8, bytes: 0.7 };
const PLAIN = 'addBulk';
const UNTRIED = 'relay, not attempted';
const FAILED = 'relay, attempt failed';
const SCRIPTS: Record<string, readonly string[]> = {
  [PLAIN]: Child.script('contestants/parking-plain.ts'),
  [UNTRIED]: Child.script('contestants/parking-relay.ts'),
  [FAILED]: [...Child.script('contestants/parking-relay.ts'), 'failed'],
};

interface Parked {
  readonly rate: number;
  readonly bytes: number;
}

/** Storing events for a retry: how fast, and what one takes of Redis. */
export async function measureParking(bench: Bench): Promise<void> {
  const { print, options } = bench;
  const measured = new Map<string, Parked[]>(Object.keys(SCRIPTS).map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, args] of Object.entries(SCRIPTS)) {
      const parked = await measure(bench, name, args);
      measured.get(name)?.push(parked);
      bench.progress(`parking, round ${round + 1}: ${name} ${text([parked])}`);
    }
  }
  heading(
    print,
    `Parking: ${options.events} events of the small size in batches, median of ${options.rounds}`,
  );
  for (const [name, parked] of measured) figure(print, name, text(parked));
  for (const name of [UNTRIED, FAILED]) {
    const rates = ratios(column(measured, name, 'rate'), column(measured, PLAIN, 'rate'));
    verdict(print, {
      what: `${name}: rate`,
      value: median(rates),
      atLeast: GOALS.rate,
      rounds: rates,
    });
    const bytes = ratios(column(measured, name, 'bytes'), column(measured, PLAIN, 'bytes'));
    verdict(print, {
      what: `${name}: bytes`,
      value: median(bytes),
      atMost: GOALS.bytes,
      rounds: bytes,
    });
  }
}

function column(measured: Map<string, Parked[]>, name: string, which: keyof Parked): number[] {
  return (measured.get(name) ?? []).map((parked) => parked[which]);
}

function text(parked: readonly Parked[]): string {
  const rate = median(parked.map((one) => one.rate));
  const bytes = median(parked.map((one) => one.bytes));
  return `${perSecond(rate)}, ${Math.round(bytes)} bytes each`;
}

async function measure(bench: Bench, name: string, args: readonly string[]): Promise<Parked> {
  const { redis, options, folder, cleanup } = bench;
  const env = {
    NODE_ENV: 'production',
    REDIS_URI: redis.uri,
    REDIS_PREFIX_KEY: redis.prefix,
  };
  const child = await Child.start({ name, args, env, folder }, cleanup);
  await child.message();
  const before = await redis.usedBytes();
  const done = child.message<{ seconds: number }>();
  child.send(options.events);
  const { seconds } = await done;
  const bytes = ((await redis.usedBytes()) - before) / options.events;
  await child.stop();
  await redis.clear();
  return { rate: options.events / seconds, bytes };
}
