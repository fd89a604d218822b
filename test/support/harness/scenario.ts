import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RelayRedis } from '../../../src/redis/relay-redis';
import { RetryStore } from '../../../src/retry/retry-store';
import { messageEvents, type OutgoingEvent } from '../clients/publisher';
import { type CommandResult, runCommand } from '../processes/command';
import { type Environment, type LaunchOptions, RelayProcess } from '../processes/relay';
import { Receiver } from '../servers/receiver';
import { provided } from './provided';
import { RabbitBroker, type ScenarioBroker } from './rabbit-broker';

export interface ScenarioOptions {
  /** Servers of the test's own; else those that `npm test` provides for all. */
  readonly rabbit?: string;
  readonly redis?: string;
  readonly env?: Environment;
  readonly receiver?: Receiver;
}

/** One line of `audit --json`. */
export interface AuditLine {
  readonly destination: string;
  readonly accepted: number;
  readonly delivered: number;
  readonly parked: number;
  readonly dead: number;
  readonly discarded: number;
  readonly difference: number;
}

/** Retries within a test's patience; the same code and policy as with the defaults. */
const SHORT: Environment = {
  WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '0.2',
  WEBHOOK_RETRY_MAX_DELAY_SECONDS: '1',
  CIRCUIT_OPEN_SECONDS: '1',
  SHUTDOWN_TIMEOUT_SECONDS: '15',
  LOG_LEVEL: 'info',
  LOG_FORMAT: 'json',
};

const NOTHING: AuditLine = {
  destination: '',
  accepted: 0,
  delivered: 0,
  parked: 0,
  dead: 0,
  discarded: 0,
  difference: 0,
};

export const WEBHOOK = 'webhook:global';

/** Workers, a receiver and a publisher around one queue, with names that no other test has. */
export class Scenario<B extends ScenarioBroker = RabbitBroker> {
  readonly env: Environment;
  readonly workers: RelayProcess[] = [];
  readonly published: string[] = [];
  readonly #redis: string;

  private constructor(
    readonly name: string,
    readonly broker: B,
    readonly receiver: Receiver,
    options: ScenarioOptions,
  ) {
    this.#redis = options.redis ?? provided('REDIS_URI');
    this.env = {
      ...SHORT,
      ...broker.env,
      REDIS_URI: this.#redis,
      REDIS_PREFIX_KEY: this.name,
      WEBHOOK_GLOBAL_URL: receiver.url,
      ...options.env,
    };
  }

  static start(options: ScenarioOptions = {}): Promise<Scenario> {
    return Scenario.on((name) => new RabbitBroker(options.rabbit ?? provided('RABBITMQ_URI'), name), options);
  }

  /** With a broker of another kind. */
  static async on<B extends ScenarioBroker>(
    open: (name: string) => B | Promise<B>,
    options: ScenarioOptions = {},
  ): Promise<Scenario<B>> {
    const name = `fault-${randomBytes(6).toString('hex')}`;
    return new Scenario(name, await open(name), options.receiver ?? (await Receiver.start()), options);
  }

  /** A worker that consumes. */
  async startWorker(env: Environment = {}, options: LaunchOptions = {}): Promise<RelayProcess> {
    const worker = await RelayProcess.launch({ ...this.env, ...env }, 'worker', options);
    this.workers.push(worker);
    await worker.untilReady();
    return worker;
  }

  /** Several workers under one supervisor; with `start`, and a gateway. */
  async startSupervised(
    processes: number,
    env: Environment = {},
    command: 'worker' | 'start' = 'worker',
  ): Promise<RelayProcess> {
    const all = `${command} --processes ${processes}` as const;
    const supervisor = await RelayProcess.launch({ ...this.env, ...env }, all);
    this.workers.push(supervisor);
    await supervisor.untilReady();
    return supervisor;
  }

  /** Worker and gateway in one process. */
  async startBoth(descriptors?: number): Promise<RelayProcess> {
    const both = await RelayProcess.launch(
      this.env,
      'start',
      descriptors === undefined ? {} : { descriptors },
    );
    this.workers.push(both);
    await both.untilReady();
    return both;
  }

  /** Resolves when the broker has them all. */
  publish(count: number, perSecond?: number): Promise<void> {
    return this.publishEvents(messageEvents(`${this.name}-${this.published.length}`, count), perSecond);
  }

  publishEvents(events: readonly OutgoingEvent[], perSecond?: number): Promise<void> {
    this.published.push(...events.map(({ key }) => key));
    const publishing = this.broker.publish(events, perSecond);
    // Awaited only later, when the fault is over: a test that fails before is not to fail twice.
    publishing.catch(() => {});
    return publishing;
  }

  /** The receiver has accepted `count` different events. */
  untilAccepted(count: number, timeoutMs = 60_000): Promise<void> {
    const { receiver } = this;
    return receiver.until(() => receiver.distinct >= count, timeoutMs, `${count} events`);
  }

  untilAllAccepted(timeoutMs = 60_000): Promise<void> {
    const { receiver, published } = this;
    return receiver.until(() => receiver.distinct >= published.length, timeoutMs, `all ${published.length}`);
  }

  command(...args: string[]): Promise<CommandResult> {
    return this.commandWith({}, ...args);
  }

  commandWith(env: Environment, ...args: string[]): Promise<CommandResult> {
    return runCommand(args, { ...this.env, ...env });
  }

  /** The audit of one destination; it must balance at any moment. */
  async audit(destination = WEBHOOK): Promise<AuditLine> {
    const { code, stdout, stderr } = await this.command('audit', '--json');
    if (code !== 0) throw new Error(`audit ended with ${code}: ${stdout}${stderr}`);
    const { balanced, destinations } = JSON.parse(stdout) as { balanced: boolean; destinations: AuditLine[] };
    if (!balanced) throw new Error(`the audit does not balance: ${stdout}`);
    return destinations.find((line) => line.destination === destination) ?? { ...NOTHING, destination };
  }

  /** The audit once it looks as it should. */
  async untilAudited(
    isSo: (line: AuditLine) => boolean,
    destination = WEBHOOK,
    timeoutMs = 30_000,
  ): Promise<AuditLine> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const line = await this.audit(destination);
      if (isSo(line)) return line;
      if (Date.now() > deadline) throw new Error(`the audit stays at ${JSON.stringify(line)}`);
      await delay(200);
    }
  }

  /** What waits in Redis for its next attempt is due now. */
  async makeDue(): Promise<void> {
    const redis = new RelayRedis(this.#redis);
    const store = new RetryStore({ redis, prefix: this.name, onError: () => {} });
    try {
      await store.queue.promoteJobs();
    } finally {
      await store.close();
      redis.disconnect();
    }
  }

  /** Messages that are ready in the queue. */
  queueLength(): Promise<number> {
    return this.broker.queueLength();
  }

  /** Every worker drains and ends well; how they ended. */
  async stopWorkers(timeoutMs = 20_000): Promise<void> {
    const running = this.workers.filter((worker) => worker.isRunning);
    for (const worker of running) worker.signal('SIGTERM');
    const exits = await Promise.all(running.map((worker) => worker.ended(timeoutMs)));
    if (exits.some(({ code }) => code !== 0)) {
      throw new Error(
        `a worker ended with ${JSON.stringify(exits)}:\n${running.map(({ log }) => log).join('')}`,
      );
    }
  }

  /**
   * What every fault must leave behind: all events accepted, none with two identities, nothing parked or dead, an
   * audit that balances, workers that drain, and an empty queue. Prints what it cost.
   */
  async conclude(fault: string, timeoutMs = 60_000): Promise<{ duplicates: number; audit: AuditLine }> {
    const { receiver, published } = this;
    await this.untilAllAccepted(timeoutMs).catch((error: unknown) => this.#report(fault, error));
    const audit = await this.untilAudited(
      ({ parked, delivered }) => parked === 0 && delivered > 0,
      WEBHOOK,
      timeoutMs,
    );
    await this.stopWorkers();
    // No owner is charged for what is not there any more, however often a worker was killed (finding 1.6).
    const { stdout } = await this.command('audit', '--json');
    const { largest } = JSON.parse(stdout) as { largest: readonly { readonly owner: string }[] };
    const charged = largest.filter(({ owner }) => owner !== 'malformed');
    if (audit.dead === 0) expect(charged).toEqual([]);
    const lost = receiver.missing(published).length;
    const { duplicates } = receiver;
    process.stdout.write(
      `fault ${fault}: published ${published.length}, lost ${lost}, duplicated ${duplicates}\n`,
    );
    const confused = [...receiver.tallies.values()].filter(({ webhookIds }) => webhookIds.size !== 1).length;
    expect({ lost, dead: audit.dead, confused, left: await this.queueLength() }).toEqual({
      lost: 0,
      dead: 0,
      confused: 0,
      left: 0,
    });
    return { duplicates, audit: await this.audit() };
  }

  /** Nothing stays: no process, no queue, no key. */
  async close(): Promise<void> {
    await Promise.all(this.workers.filter(({ isRunning }) => isRunning).map((worker) => worker.kill()));
    await this.receiver.close();
    try {
      await this.broker.close();
    } finally {
      await this.#deleteKeys();
    }
  }

  async #report(fault: string, error: unknown): Promise<never> {
    const { stdout } = await this.command('audit', '--json');
    const logs = this.workers.map(({ log }) => log.trim().split('\n').slice(-10).join('\n')).join('\n--\n');
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`${fault}: ${text}; audit ${stdout.trim()}; logs end with\n${logs}`);
  }

  async #deleteKeys(): Promise<void> {
    const redis = new Redis(this.#redis, { lazyConnect: true, maxRetriesPerRequest: 1 });
    redis.on('error', () => {});
    try {
      await redis.connect();
      for await (const keys of redis.scanStream({ match: `{${this.name}}:*`, count: 1000 })) {
        if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
      }
    } finally {
      redis.disconnect();
    }
  }
}
