import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { provided } from '../support/harness/provided';
import { RabbitBroker } from '../support/harness/rabbit-broker';
import { type Environment, RelayProcess } from '../support/processes/relay';
import { AmqpProxy } from '../support/proxies/amqp-proxy';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { PrivateRedis } from '../support/servers/private-services';
import { Receiver } from '../support/servers/receiver';

const MAIN = join(__dirname, '../../dist/main.js');
const WORKERS = 3;
/** Short, so that connections which nobody needs are gone when they are counted. */
const KEEP_ALIVE_MS = 3000;
/** Instances with a webhook of their own; the global one receives the events of all. */
export const INSTANCES = 4;

/** Nothing is given up on while faults go on: what is not delivered in the end is lost. */
const ENV: Environment = {
  WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '0.5',
  WEBHOOK_RETRY_MAX_DELAY_SECONDS: '5',
  WEBHOOK_RETRY_MAX_ATTEMPTS: '100',
  WEBHOOK_REQUEST_TIMEOUT_MS: '3000',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  CIRCUIT_OPEN_SECONDS: '2',
  SHUTDOWN_TIMEOUT_SECONDS: '15',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'json',
};

interface WorldParts {
  readonly env: Environment;
  readonly folder: string;
  readonly broker: RabbitBroker;
  readonly amqp: AmqpProxy;
  readonly redis: PrivateRedis;
  readonly redisProxy: FreezingProxy;
  readonly receivers: readonly Receiver[];
}

/** A broker and a Redis behind proxies, workers, and receivers that count. */
export class World {
  readonly workers: RelayProcess[] = [];
  /** That of the global webhook is the first. */
  readonly receivers: readonly Receiver[];
  readonly amqp: AmqpProxy;
  readonly redis: PrivateRedis;
  private redisProxy: FreezingProxy;

  private constructor(private readonly parts: WorldParts) {
    this.receivers = parts.receivers;
    this.amqp = parts.amqp;
    this.redis = parts.redis;
    this.redisProxy = parts.redisProxy;
  }

  static async open(): Promise<World> {
    const name = `soak-${randomBytes(6).toString('hex')}`;
    const folder = mkdtempSync(join(tmpdir(), 'relay-soak-'));
    const broker = new RabbitBroker(provided('RABBITMQ_URI'), name);
    const amqp = await AmqpProxy.start(provided('RABBITMQ_URI'));
    const redis = await PrivateRedis.start();
    const redisProxy = await FreezingProxy.start(Number(new URL(redis.uri).port));
    const receivers = await Promise.all(
      Array.from({ length: INSTANCES + 1 }, () => Receiver.start({ keepAliveMs: KEEP_ALIVE_MS })),
    );
    const settings = join(folder, 'instances.json');
    writeFileSync(settings, JSON.stringify(receivers.slice(1).map(settingsOf)));
    const env = {
      ...ENV,
      ...broker.env,
      RABBITMQ_URI: amqp.uri,
      REDIS_URI: `redis://127.0.0.1:${redisProxy.port}`,
      REDIS_PREFIX_KEY: name,
      WEBHOOK_GLOBAL_URL: receivers[0]?.url ?? '',
      SETTINGS_FILE: settings,
    };
    const world = new World({ env, folder, broker, amqp, redis, redisProxy, receivers });
    for (let index = 0; index < WORKERS; index++) world.workers.push(await RelayProcess.start(env));
    return world;
  }

  /** Another worker takes the place of one that ended. */
  async replaceWorker(index: number): Promise<void> {
    this.workers[index] = await RelayProcess.launch(this.parts.env);
  }

  publish(first: number, count: number, perSecond: number): Promise<void> {
    const events = Array.from({ length: count }, (_, index) => eventOf(first + index));
    return this.parts.broker.publish(events, perSecond);
  }

  async cutRedis(forMs: number, pause: (ms: number) => Promise<void>): Promise<void> {
    const { port } = this.redisProxy;
    await this.redisProxy.close();
    await pause(forMs);
    this.redisProxy = await FreezingProxy.start(Number(new URL(this.redis.uri).port), port);
  }

  /** What is read from it comes no more, on connections that are open now. */
  silenceRedis(): void {
    this.redisProxy.freeze();
  }

  async audit(): Promise<{ readonly isBalanced: boolean; readonly dead: number; readonly parked: number }> {
    const stdout = await this.command('audit', '--json');
    const { balanced, destinations } = JSON.parse(stdout) as Audit;
    const sum = (name: 'dead' | 'parked'): number => destinations.reduce((all, line) => all + line[name], 0);
    return { isBalanced: balanced, dead: sum('dead'), parked: sum('parked') };
  }

  queueLength(): Promise<number> {
    return this.parts.broker.queueLength();
  }

  /** What a command says, however it ends. */
  private command(...args: string[]): Promise<string> {
    const env = { PATH: process.env['PATH'], ...this.parts.env };
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [MAIN, ...args],
        { cwd: this.parts.folder, env },
        (error, stdout, stderr) => {
          if (stdout.trim() !== '') resolve(stdout);
          else reject(new Error(`${args.join(' ')} says nothing: ${stderr}`, { cause: error }));
        },
      );
    });
  }

  /** Names of the keys in Redis, those of processes and those that expire left out. */
  async keys(): Promise<string[]> {
    const redis = new Redis(this.redis.uri);
    try {
      const names = await redis.keys('*');
      const expiries = await Promise.all(names.map((name) => redis.pttl(name)));
      return names.filter((_, index) => expiries[index] === -1).sort();
    } finally {
      redis.disconnect();
    }
  }

  async close(): Promise<void> {
    const { folder, broker } = this.parts;
    await Promise.all(this.workers.filter(({ isRunning }) => isRunning).map((worker) => worker.kill()));
    await Promise.all(this.receivers.map((receiver) => receiver.close()));
    await this.redisProxy.close();
    await broker.close().catch(() => {});
    await this.amqp.goOffline();
    await this.redis.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Audit {
  readonly balanced: boolean;
  readonly destinations: readonly { readonly dead: number; readonly parked: number }[];
}

export const instanceOf = (event: number): number => event % INSTANCES;

function settingsOf({ url }: Receiver, index: number): object {
  // One has a limit of its own, well above what it gets.
  const limits = index === 0 ? { rateLimit: { count: 2000, seconds: 10 }, concurrency: 20 } : {};
  return { instanceName: `soak-${index}`, webhook: { url, events: [], ...limits } };
}

function eventOf(number: number) {
  const key = keyOf(number);
  const body = {
    event: 'messages.upsert',
    instance: `soak-${instanceOf(number)}`,
    data: { key: { id: key } },
  };
  return {
    key,
    routingKey: 'messages.upsert',
    body: () => Buffer.from(JSON.stringify({ ...body, date_time: '2026-11-03T14:22:07.415Z' })),
  };
}

export const keyOf = (event: number): string => `SOAK${event}`;
