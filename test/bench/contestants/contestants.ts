import { freePort } from '../../support/processes/ports';
import { Child } from '../child';
import type { Bench } from '../context';

/** What is compared: the relay and its baselines. */
export const CONTESTANTS = ['bare', 'job per event', 'in-process', 'relay'] as const;
export type Contestant = (typeof CONTESTANTS)[number];

const SCRIPTS: Record<Exclude<Contestant, 'relay'>, string> = {
  bare: 'contestants/bare.ts',
  'job per event': 'contestants/job-per-event.ts',
  'in-process': 'contestants/in-process.ts',
};

/** The relay's defaults; the baselines get the same. */
const PREFETCH = 250;
const CONCURRENCY = 32;

/** Starts a contestant that consumes the benchmark's queue and delivers to `url`. */
export async function startContestant(
  bench: Bench,
  contestant: Contestant,
  url: string,
  others: Readonly<Record<string, string | undefined>> = {},
): Promise<Child> {
  const all = { ...(await environmentOf(bench)), WEBHOOK_GLOBAL_URL: url, ...others };
  const env = Object.fromEntries(Object.entries(all).filter(isSet));
  if (contestant !== 'relay') return startScript(bench, contestant, SCRIPTS[contestant], env);
  const args = [Child.path('dist/main.js'), 'worker'];
  return Child.start({ name: contestant, args, env, folder: bench.folder }, bench.cleanup);
}

function isSet(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

/** Starts a baseline with the relay's own variables. */
export async function startScript(
  bench: Bench,
  name: string,
  script: string,
  others: Readonly<Record<string, string>>,
): Promise<Child> {
  const env = { ...(await environmentOf(bench)), ...others };
  return Child.start({ name, args: Child.script(script), env, folder: bench.folder }, bench.cleanup);
}

async function environmentOf(bench: Bench): Promise<Record<string, string>> {
  const { broker } = bench;
  return {
    NODE_ENV: 'production',
    RABBITMQ_URI: bench.rabbitmqUri,
    RABBITMQ_EXCHANGE_NAME: broker.exchange,
    RABBITMQ_QUEUE: broker.queue,
    RABBITMQ_PREFETCH: String(PREFETCH),
    // amqplib's own default, which the baselines have.
    RABBITMQ_FRAME_MAX: '131072',
    REDIS_URI: bench.redis.uri,
    REDIS_PREFIX_KEY: bench.redis.prefix,
    DELIVERY_CONCURRENCY_PER_DESTINATION: String(CONCURRENCY),
    METRICS_HOST: '127.0.0.1',
    METRICS_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
  };
}
