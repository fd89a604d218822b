import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { guard, release } from './guard';
import { freePort, HOST } from './ports';

const MAIN = join(__dirname, '../../../dist/main.js');
/** A folder without `.env` and `config`: only what a test sets counts. */
const DIRECTORY = __dirname;
const START_MS = 60_000;
const LOG_LIMIT = 1_000_000;

export type Environment = Readonly<Record<string, string>>;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type RelayCommand = 'worker' | 'gateway' | 'start' | `${'worker' | 'start'} --processes ${string}`;

export interface LaunchOptions {
  /** How many files and sockets it may have open; else as many as the tests. */
  readonly descriptors?: number;
  /** Of another build; else of this one. */
  readonly main?: string;
}

/** `node dist/main.js worker`, `gateway` or `start` as a process of its own. */
export class RelayProcess {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #log = '';
  #exit: Exit | undefined;

  private constructor(
    private readonly command: RelayCommand,
    env: Environment,
    private readonly ports: { readonly metrics: number; readonly gateway: number },
    { descriptors, main = MAIN }: LaunchOptions,
  ) {
    const run = [process.execPath, main, ...command.split(' ')];
    // Node.js raises its own limit as far as the hard one: both are lowered before it starts.
    const limited = ['sh', '-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, ...run];
    const [program = '', ...args] = descriptors === undefined ? run : limited;
    this.#child = spawn(program, args, {
      cwd: DIRECTORY,
      env: {
        PATH: process.env['PATH'],
        METRICS_HOST: HOST,
        METRICS_PORT: String(ports.metrics),
        GATEWAY_HOST: HOST,
        GATEWAY_PORT: String(ports.gateway),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C is for the test; what it started ends with it.
      detached: true,
    });
    const { pid } = this.#child;
    if (pid !== undefined) guard(`group ${pid}`);
    const keep = (chunk: Buffer): void => {
      this.#log = (this.#log + chunk.toString('utf8')).slice(-LOG_LIMIT);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.exited = new Promise((resolve) => {
      // `close` comes after the last line of the log.
      this.#child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        if (pid !== undefined) release(`group ${pid}`);
        resolve(this.#exit);
      });
    });
  }

  /** Without waiting for it to be ready. */
  static async launch(
    env: Environment,
    command: RelayCommand = 'worker',
    options: LaunchOptions = {},
  ): Promise<RelayProcess> {
    const gateway = Number(env['GATEWAY_PORT'] ?? (await freePort()));
    return new RelayProcess(command, env, { metrics: await freePort(), gateway }, options);
  }

  /** Resolves when it does its work and Redis answers. */
  static async start(env: Environment, command: RelayCommand = 'worker'): Promise<RelayProcess> {
    const relay = await RelayProcess.launch(env, command);
    await relay.untilReady();
    return relay;
  }

  get gatewayPort(): number {
    return this.ports.gateway;
  }

  get metricsPort(): number {
    return this.ports.metrics;
  }

  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** Largest resident size so far in bytes, as the kernel counted it. */
  get peakBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Resident size now, in bytes. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Open now. */
  get sockets(): number {
    const folder = `/proc/${this.#child.pid}/fd`;
    return readdirSync(folder).filter((name) => isSocket(join(folder, name))).length;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** To every process that it started, too, as a terminal and systemd do. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.pid !== undefined) process.kill(-this.pid, signal);
  }

  /** Whoever read its log is gone, as where a log collector ends. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Whoever reads its log no longer does. */
  stopReading(): void {
    this.#child.stdout?.pause();
  }

  /** SIGKILL, until nothing is left of it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** How it ended; an error when it goes on for longer than `timeoutMs`. */
  async ended(timeoutMs: number): Promise<Exit> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#trouble(`still running after ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([this.exited, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  untilReady(timeoutMs = START_MS): Promise<void> {
    return this.until(async () => (await this.readiness()).status === 200, timeoutMs, 'ready');
  }

  /** A circuit is open, and so many attempts failed since then: those that find out whether it may be closed. */
  async untilProbed(count: number): Promise<void> {
    await this.until(async () => (await this.metric('relay_circuits_open')) > 0, START_MS, 'an open circuit');
    const before = await this.#failedAttempts();
    await this.until(
      async () => (await this.#failedAttempts()) >= before + count,
      START_MS,
      `${count} attempts while the circuit is open`,
    );
  }

  async #failedAttempts(): Promise<number> {
    let sum = 0;
    for (const [line, value] of await this.metrics())
      if (line.startsWith('relay_attempts_total{') && line.includes('outcome="failed"')) sum += value;
    return sum;
  }

  untilLogged(text: string, timeoutMs = START_MS): Promise<void> {
    return this.until(async () => this.#log.includes(text), timeoutMs, `log "${text}"`);
  }

  async until(condition: () => Promise<boolean>, timeoutMs: number, what: string): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await condition())) {
      if (!this.isRunning) throw this.#trouble(`ended before: ${what}`);
      if (Date.now() > deadline) throw this.#trouble(`not within ${timeoutMs} ms: ${what}`);
      await delay(50);
    }
  }

  /** Status 0 while nobody listens. */
  async readiness(): Promise<{ status: number; body: string }> {
    return fetchText(this.#port, '/readyz');
  }

  /** Every metric by its name and labels as they stand in /metrics, all of the same moment. */
  async metrics(): Promise<Map<string, number>> {
    const { body } = await fetchText(this.#port, '/metrics');
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [
        line.slice(0, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' ') + 1)),
      ]),
    );
  }

  /** Also of those that have no value yet. */
  async metricNames(): Promise<string[]> {
    const { body } = await fetchText(this.#port, '/metrics');
    return [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  }

  /** 0 where it is not there. */
  async metric(name: string): Promise<number> {
    return (await this.metrics()).get(name) ?? 0;
  }

  /** Sum of a metric over all its labels. */
  async total(name: string): Promise<number> {
    let sum = 0;
    for (const [line, value] of await this.metrics()) if (line.split('{')[0] === name) sum += value;
    return sum;
  }

  /** Where it tells how it is: a worker has a port of its own for that. */
  get #port(): number {
    return this.command === 'gateway' ? this.ports.gateway : this.ports.metrics;
  }

  #trouble(what: string): Error {
    const tail = this.#log.trim().split('\n').slice(-15).join('\n');
    return new Error(`${this.command} ${this.#child.pid}: ${what}; its log ends with\n${tail}`);
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    // Closed meanwhile.
    return false;
  }
}

export function fetchText(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const nothing = (): void => resolve({ status: 0, body: '' });
    const request = get({ host: HOST, port, path, agent: false, timeout: 5000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', nothing);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', nothing);
  });
}
