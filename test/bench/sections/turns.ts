import { STRANGERS } from '../../support/clients/strangers';
import { freePort } from '../../support/processes/ports';
import { Child } from '../child';
import type { Bench } from '../context';
import { heading, verdict } from '../report';

/** Nothing that comes from outside holds the event loop up for longer, and no pass over thousands of queues. */
const STRANGERS_MS = 100;
const PASS_MS = 50;
const KEY = 'operator-key-of-the-bench';

interface Case {
  readonly name: string;
  /** One for each turn that it measures. */
  readonly figures: readonly string[];
  readonly atMost: number;
}

const CASES: readonly Case[] = [
  { name: 'malicious receivers', figures: ['all malicious receivers'], atMost: STRANGERS_MS },
  { name: 'sqs queues', figures: ['10,000 SQS queues found', 'half of them dropped'], atMost: PASS_MS },
  {
    name: 'amqp exchanges',
    figures: ['10,000 exchanges, first pass', '10,000 exchanges, steady'],
    atMost: PASS_MS,
  },
  ...(['base64', 'dense'] as const).flatMap((kind) =>
    [8, 32, 100].map((megabytes) => ({
      name: `message of ${megabytes} MB ${kind}`,
      figures: [`message of ${megabytes} MB, ${kind}`],
      atMost: STRANGERS_MS,
    })),
  ),
];

/** The longest turn of the event loop in processor time, the least of some rounds: what others do to the machine adds to it. */
export async function measureTurns(bench: Bench): Promise<void> {
  const { print } = bench;
  heading(print, `Longest turn of the event loop, least of ${bench.options.rounds}`);
  const strangers = await rounds(bench, () => strangersTurns(bench));
  for (const [index, name] of Object.keys(STRANGERS).entries())
    report(bench, name, strangers, index, STRANGERS_MS);
  for (const { name, figures, atMost } of CASES) {
    const turns = await rounds(bench, () => turnsOf(bench, name));
    for (const [index, what] of figures.entries()) report(bench, what, turns, index, atMost);
  }
}

async function rounds(bench: Bench, measure: () => Promise<number[]>): Promise<number[][]> {
  const measured: number[][] = [];
  for (let round = 0; round < bench.options.rounds; round++) measured.push(await measure());
  return measured;
}

function report(bench: Bench, what: string, measured: number[][], index: number, atMost: number): void {
  const turns = measured.map((each) => each[index] ?? Number.NaN);
  verdict(bench.print, { what, value: Math.min(...turns), unit: ' ms', atMost, rounds: turns });
}

async function turnsOf(bench: Bench, name: string): Promise<number[]> {
  bench.progress(`turns: ${name}`);
  const child = await Child.start(
    {
      name,
      args: [...Child.script('turns/case.ts'), name],
      env: { RABBITMQ_URI: bench.rabbitmqUri },
      folder: bench.folder,
    },
    bench.cleanup,
  );
  const turns = await child.message<number[]>();
  await child.stop();
  return turns;
}

/** All of them at one relay, as with `start`. */
async function strangersTurns(bench: Bench): Promise<number[]> {
  const port = await freePort();
  const relay = await Child.start(
    {
      name: 'relay',
      args: [
        ...Child.script('turns/watch.ts').slice(0, 2),
        '-r',
        Child.script('turns/watch.ts')[2] ?? '',
        Child.path('dist/main.js'),
        'start',
      ],
      env: await environment(bench, port),
      folder: bench.folder,
    },
    bench.cleanup,
  );
  await untilAnswers(port);
  const turn = async (): Promise<number> => {
    const answer = relay.message<number>();
    relay.send('turn');
    return answer;
  };
  const turns: number[] = [];
  for (const [name, attack] of Object.entries(STRANGERS)) {
    bench.progress(`turns: ${name}`);
    await turn();
    await attack(port);
    turns.push(await turn());
  }
  await relay.stop();
  await bench.redis.clear();
  return turns;
}

async function environment(bench: Bench, port: number): Promise<Record<string, string>> {
  return {
    NODE_ENV: 'production',
    AUTHENTICATION_API_KEY: KEY,
    WEBSOCKET_ENABLED: 'true',
    RABBITMQ_URI: bench.rabbitmqUri,
    RABBITMQ_EXCHANGE_NAME: bench.broker.exchange,
    RABBITMQ_QUEUE: bench.broker.queue,
    REDIS_URI: bench.redis.uri,
    REDIS_PREFIX_KEY: bench.redis.prefix,
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    METRICS_HOST: '127.0.0.1',
    METRICS_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
  };
}

async function untilAnswers(port: number): Promise<void> {
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 50));
}
