import { PrivateRabbit, PrivateRedis } from '../servers/private-services';
import { install, isInstalled, packagesOf, program, type Service } from './binaries';

export interface Services {
  /** What the command under test needs to find them. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** The message says what to do; a stack would add nothing. */
export class ServicesMissing extends Error {
  override readonly name = 'ServicesMissing';
}

type Log = (line: string) => void;

const BROKERS = {
  rabbitmq: {
    title: 'RabbitMQ',
    variable: 'RABBITMQ_URI',
    example: 'amqp://relay:relay@localhost:5672',
    start: () => PrivateRabbit.start(),
  },
  redis: {
    title: 'Redis',
    variable: 'REDIS_URI',
    example: 'redis://localhost:6379',
    start: PrivateRedis.start,
  },
};

type Broker = keyof typeof BROKERS;

/** What helps but is not needed: where it cannot be had, everything else runs without it. */
const HELPERS = { nginx: 'NGINX_BIN', chromium: 'CHROMIUM_BIN', promtool: 'PROMTOOL_BIN' } as const;

type Helper = keyof typeof HELPERS;

function isHelper(service: Service): service is Helper {
  return service in HELPERS;
}

const titles = (brokers: readonly Broker[]) => brokers.map((broker) => BROKERS[broker].title).join(' and ');

/**
 * RabbitMQ and Redis, each by its variable where set, else the installed one started privately, else
 * installed first. Helpers (nginx for the benchmarks, a browser and promtool for tests) by a variable where they can be had.
 */
export async function startServices({
  need,
  log,
}: {
  need: readonly Service[];
  log: Log;
}): Promise<Services> {
  const helpers = need.filter(isHelper);
  const own = need
    .filter((service): service is Broker => !isHelper(service))
    .filter((broker) => !process.env[BROKERS[broker].variable]);
  provide(own, helpers, log);
  if (own.length > 0) log(`Starting ${titles(own)} on free ports`);
  const starts = await Promise.allSettled(
    own.map(async (broker) => ({ broker, service: await BROKERS[broker].start() })),
  );
  const running = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const stop = async () => {
    await Promise.all(running.map(({ service }) => service.dispose()));
  };
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const env = Object.fromEntries(
    running.map(({ broker, service }) => [BROKERS[broker].variable, service.uri]),
  );
  for (const helper of helpers.filter(isInstalled)) env[HELPERS[helper]] = program(helper);
  return { env, stop };
}

function provide(brokers: readonly Broker[], helpers: readonly Helper[], log: Log): void {
  const missing = [...brokers, ...helpers].filter((service) => !isInstalled(service));
  if (missing.length === 0) return;
  const problem = install(missing, log);
  if (problem === undefined) return;
  const needed = brokers.filter((broker) => !isInstalled(broker));
  if (needed.length === 0) return log(`Going on without ${missing.join(' and ')}: ${problem}`);
  const settings = needed.map((broker) => `${BROKERS[broker].variable}=${BROKERS[broker].example}`);
  throw new ServicesMissing(
    [
      `${titles(needed)} not found and not installed: ${problem}.`,
      `Install:   sudo apt-get install --no-install-recommends ${packagesOf(needed).join(' ')}`,
      `or start:  docker compose -f deploy/docker-compose.yml up -d ${needed.join(' ')}`,
      `and set:   export ${settings.join(' ')}`,
    ].join('\n'),
  );
}
