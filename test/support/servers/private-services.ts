import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { program } from '../processes/binaries';
import { guard, release } from '../processes/guard';
import { ask, freePort, HOST, untilFree } from '../processes/ports';
import { PrivateProcess } from '../processes/private-process';

const START_MS = 90_000;

/** Ended before it answered: somebody else may have taken one of its ports in the meantime. */
class EndedEarly extends Error {}

interface Program {
  name: string;
  args?: string[];
  env?: Record<string, string>;
  port: number;
  /** What to send to find out whether it is up, and whether an answer says so. */
  question: string;
  isUp(answer: Buffer): boolean;
}

/** A service of our own on loopback ports, with its data in a folder of its own. */
export abstract class PrivateService {
  abstract readonly uri: string;
  protected abstract readonly ports: readonly number[];
  readonly folder = mkdtempSync(join(tmpdir(), 'evolution-relay-'));
  #processes: PrivateProcess[] = [];

  protected constructor() {
    guard(`folder ${this.folder}`);
  }

  protected abstract launch(): Promise<void>;

  /** With other ports each time, as a port found free can be taken before it is used. */
  protected static async begin<T extends PrivateService>(create: () => Promise<T>): Promise<T> {
    for (let retries = 2; ; retries--) {
      const service = await create();
      try {
        await service.launch();
        return service;
      } catch (error) {
        await service.dispose();
        if (!(error instanceof EndedEarly) || retries === 0) throw error;
      }
    }
  }

  protected async run(started: Program): Promise<PrivateProcess> {
    const log = join(this.folder, `${started.name}-${started.port}.log`);
    const child = new PrivateProcess(program(started.name), started.args ?? [], {
      cwd: this.folder,
      // Nothing of our own environment: many of the relay's variables begin with RABBITMQ_ too.
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: this.folder, ...started.env },
      log,
    });
    this.#processes.push(child);
    const deadline = Date.now() + START_MS;
    while (!started.isUp(await ask(started.port, started.question))) {
      const report = () => `:\n${readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n')}`;
      if (!child.running) throw new EndedEarly(`${started.name} ended while it started${report()}`);
      if (Date.now() > deadline) throw new Error(`${started.name} is not up after ${START_MS} ms${report()}`);
      await delay(50);
    }
    return child;
  }

  /** In good order; the data stays. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /**
   * As a crash would: the data stays as far as it was written. RabbitMQ 3.10 notes a quorum queue down about
   * a second after it is declared; killed before that, it never finds the queue's data again.
   */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Up again on the same ports with the same data. */
  async restart(): Promise<void> {
    await this.stop();
    await Promise.all(this.ports.map(untilFree));
    await this.launch();
  }

  /** Connections stay open, nothing answers, until `resume`. */
  pause(): void {
    for (const child of this.#processes) child.signalGroup('SIGSTOP');
  }

  resume(): void {
    for (const child of this.#processes) child.signalGroup('SIGCONT');
  }

  /** The end, data included, so there is nothing to write down in good order. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    release(`folder ${this.folder}`);
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    // The last one started is the first to go.
    for (let child = this.#processes.pop(); child; child = this.#processes.pop()) await child.end(signal);
  }
}

export class PrivateRedis extends PrivateService {
  readonly uri: string;
  protected readonly ports: readonly number[];
  readonly #port: number;

  private constructor(port: number) {
    super();
    this.#port = port;
    this.ports = [port];
    this.uri = `redis://${HOST}:${port}`;
  }

  static start(): Promise<PrivateRedis> {
    return PrivateService.begin(async () => new PrivateRedis(await freePort()));
  }

  protected async launch(): Promise<void> {
    const settings = {
      bind: HOST,
      port: `${this.#port}`,
      dir: this.folder,
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      'maxmemory-policy': 'noeviction',
    };
    await this.run({
      name: 'redis-server',
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      port: this.#port,
      question: 'PING\r\n',
      isUp: (answer) => answer.toString('latin1').startsWith('+PONG'),
    });
  }
}

/** No alarm may block a publisher; nothing of an installed RabbitMQ's configuration is read. */
const RABBIT_FILES = {
  'rabbitmq.conf': 'disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.relative = 0.6\n',
  'advanced.config': '[].\n',
  'enabled-plugins': '[].\n',
  'rabbitmq-env.conf': '',
};

export interface PrivateRabbitOptions {
  /** Further lines of rabbitmq.conf. */
  readonly conf?: string;
  readonly plugins?: readonly string[];
}

export class PrivateRabbit extends PrivateService {
  readonly uri: string;
  protected readonly ports: readonly [amqp: number, nodes: number, epmd: number];
  readonly #node: string;

  private constructor(
    ports: [amqp: number, nodes: number, epmd: number],
    { conf = '', plugins = [] }: PrivateRabbitOptions,
  ) {
    super();
    this.ports = ports;
    this.uri = `amqp://guest:guest@${HOST}:${ports[0]}`;
    this.#node = `relay-${ports.join('-')}@localhost`;
    const files = {
      ...RABBIT_FILES,
      'rabbitmq.conf': `${RABBIT_FILES['rabbitmq.conf']}${conf}`,
      'enabled-plugins': `[${plugins.join(',')}].\n`,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
  }

  static start(options: PrivateRabbitOptions = {}): Promise<PrivateRabbit> {
    return PrivateService.begin(
      async () => new PrivateRabbit([await freePort(), await freePort(), await freePort()], options),
    );
  }

  /** Runs rabbitmqctl, such as `add_user`; what it prints. */
  async control(...args: readonly string[]): Promise<string> {
    const env = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: this.folder,
      ERL_EPMD_PORT: `${this.ports[2]}`,
      RABBITMQ_CONF_ENV_FILE: join(this.folder, 'rabbitmq-env.conf'),
    };
    const run = promisify(execFile)(program('rabbitmqctl'), ['-q', '-n', this.#node, ...args], { env });
    return (await run).stdout;
  }

  protected async launch(): Promise<void> {
    const [amqp, nodes, epmd] = this.ports;
    const inFolder = (name: string) => join(this.folder, name);
    // Erlang would start a daemon epmd that stays; this one is ours, and -start_epmd keeps Erlang from it.
    await this.run({
      name: 'epmd',
      args: ['-port', `${epmd}`, '-address', HOST],
      port: epmd,
      question: '\x00\x01n', // Which names are registered? It answers with its port first.
      isUp: (answer) => answer.length >= 4 && answer.readUInt32BE(0) === epmd,
    });
    await this.run({
      name: 'rabbitmq-server',
      env: {
        ERL_EPMD_PORT: `${epmd}`,
        ERL_EPMD_ADDRESS: HOST,
        ERL_AFLAGS: '-start_epmd false',
        ERL_CRASH_DUMP_SECONDS: '0',
        RABBITMQ_NODENAME: this.#node,
        RABBITMQ_NODE_IP_ADDRESS: HOST,
        RABBITMQ_NODE_PORT: `${amqp}`,
        RABBITMQ_DIST_PORT: `${nodes}`,
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
        RABBITMQ_MNESIA_BASE: inFolder('data'),
        RABBITMQ_LOG_BASE: inFolder('log'),
        RABBITMQ_LOGS: '-',
        RABBITMQ_SCHEMA_DIR: inFolder('schema'),
        RABBITMQ_CONF_ENV_FILE: inFolder('rabbitmq-env.conf'),
        RABBITMQ_CONFIG_FILE: inFolder('rabbitmq.conf'),
        RABBITMQ_CONFIG_FILES: inFolder('conf.d'),
        RABBITMQ_ADVANCED_CONFIG_FILE: inFolder('advanced.config'),
        RABBITMQ_ENABLED_PLUGINS_FILE: inFolder('enabled-plugins'),
      },
      port: amqp,
      question: 'AMQP\x00\x00\x09\x01',
      // A method frame on channel 0 with Connection.Start.
      isUp: (answer) => answer.length >= 11 && answer[0] === 1 && answer.readUInt32BE(7) === 0x000a000a,
    });
  }
}
