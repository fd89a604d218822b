import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInstalled, program } from '../support/processes/binaries';
import { guard, release } from '../support/processes/guard';
import { Broker } from './broker';
import { Cleanup } from './cleanup';
import type { Bench } from './context';
import { describeMachine } from './machine';
import { type BenchOptions, parseOptions, type SectionName, USAGE } from './options';
import { startNginx } from './receivers/nginx';
import { startNodeReceiver } from './receivers/node';
import { BenchRedis } from './redis';
import { measureCapacity } from './sections/capacity';
import { measureDashboard } from './sections/dashboard';
import { measureDeduplication } from './sections/deduplication';
import { measureDrain } from './sections/drain';
import { measureEndpoints } from './sections/endpoints';
import { measureFilters } from './sections/filters';
import { measureInstances } from './sections/instances';
import { measureIsolation } from './sections/isolation';
import { measureLatency } from './sections/latency';
import { measureLog } from './sections/log';
import { measureMemory } from './sections/memory';
import { measureNormalise } from './sections/normalise';
import { measureOrdered } from './sections/ordered';
import { measureParking } from './sections/parking';
import { measurePusher } from './sections/pusher';
import { measureRate } from './sections/rate';
import { measureScaling } from './sections/scaling';
import { measureSilence } from './sections/silence';
import { measureSqs } from './sections/sqs';
import { measureStart } from './sections/start';
import { measureThroughput } from './sections/throughput';
import { measureTurns } from './sections/turns';
import { measureWebSockets } from './sections/websocket';

const MEASURE: Record<SectionName, (bench: Bench) => Promise<void>> = {
  throughput: measureThroughput,
  endpoints: measureEndpoints,
  instances: measureInstances,
  isolation: measureIsolation,
  drain: measureDrain,
  latency: measureLatency,
  parking: measureParking,
  websocket: measureWebSockets,
  pusher: measurePusher,
  memory: measureMemory,
  sqs: measureSqs,
  deduplication: measureDeduplication,
  log: measureLog,
  turns: measureTurns,
  silence: measureSilence,
  filters: measureFilters,
  normalise: measureNormalise,
  rate: measureRate,
  ordered: measureOrdered,
  dashboard: measureDashboard,
  start: measureStart,
  capacity: measureCapacity,
  scaling: measureScaling,
};

/** How long clearing away may take after Ctrl-C; the watchdog ends what is then left. */
const PATIENCE_MS = 8_000;

const print = (line: string): void => console.log(line);
const progress = (line: string): void => {
  console.error(process.stderr.isTTY ? `\u001b[2m${line}\u001b[0m` : line);
};
const cleanup = new Cleanup();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    const exit = (): never => process.exit(128 + constants.signals[signal]);
    setTimeout(exit, PATIENCE_MS);
    void cleanup.run().then(exit);
  });
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set; npm run bench does it`);
  return value;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'evolution-relay-'));
  guard(`folder ${folder}`);
  cleanup.add(() => {
    rmSync(folder, { recursive: true, force: true });
    release(`folder ${folder}`);
  });
  return folder;
}

async function prepare(options: BenchOptions): Promise<Bench> {
  const folder = makeFolder();
  const rabbitmqUri = variable('RABBITMQ_URI');
  const receiver = isInstalled('nginx')
    ? await startNginx(program('nginx'), folder, cleanup)
    : await startNodeReceiver(folder, cleanup);
  const broker = await Broker.connect(rabbitmqUri, cleanup);
  const redis = await BenchRedis.connect(variable('REDIS_URI'), cleanup);
  return { options, rabbitmqUri, broker, redis, receiver, cleanup, folder, print, progress };
}

async function main(options: BenchOptions): Promise<void> {
  const startedAt = Date.now();
  print(describeMachine());
  const bench = await prepare(options);
  const { broker, redis, receiver } = bench;
  print(
    `Node ${process.version}, RabbitMQ ${broker.version}, Redis ${redis.version}, receiver ${receiver.name}`,
  );
  for (const section of options.sections) await MEASURE[section](bench);
  print(`\n${Math.round((Date.now() - startedAt) / 1000)} s`);
}

try {
  main(parseOptions(process.argv.slice(2)))
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.stack : String(error));
      process.exitCode = 1;
    })
    .finally(() => cleanup.run());
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 2;
}
