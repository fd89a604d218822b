import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { guard, release } from '../support/processes/guard';
import { freePort, HOST } from '../support/processes/ports';
import { RelayMetrics } from './relay-metrics';

const PROGRAM = join(__dirname, '../../dist/main.js');
/** A folder without `.env` and `config/`: what is configured there is no part of the demo. */
const FOLDER = __dirname;
const READY_MS = 20_000;
/** A relay's deadline when it is stopped, and some more for it to keep it. */
const SHUTDOWN_SECONDS = 10;
const STOP_MS = 12_000;
const LOG_LINES = 8;

/** All that makes the demo fast: nothing in the relay knows that it is one. */
export const SHORTENED: Readonly<Record<string, string>> = {
  WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '0.5',
  WEBHOOK_RETRY_MAX_DELAY_SECONDS: '2',
  CIRCUIT_OPEN_SECONDS: '1',
};

export interface RelayOptions {
  /** RABBITMQ_URI, RABBITMQ_QUEUE, REDIS_URI and so on. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** `worker` unless it says otherwise. */
  readonly command?: 'worker' | 'start';
}

/** One line of `audit --json`. */
export interface AuditLine {
  readonly accepted: number;
  readonly delivered: number;
  readonly parked: number;
  readonly dead: number;
  readonly discarded: number;
  readonly difference: number;
}

const NOTHING: AuditLine = { accepted: 0, delivered: 0, parked: 0, dead: 0, discarded: 0, difference: 0 };

/** `evolution-relay worker`, or `start`, as a child process. */
export class RelayProcess {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly environment: Record<string, string>;
  private log: string[] = [];

  private constructor(
    private readonly options: RelayOptions,
    private readonly port: number,
  ) {
    this.environment = {
      PATH: process.env['PATH'] ?? '',
      LOG_FORMAT: 'text',
      METRICS_HOST: HOST,
      METRICS_PORT: String(port),
      SHUTDOWN_TIMEOUT_SECONDS: String(SHUTDOWN_SECONDS),
      ...SHORTENED,
      ...options.environment,
    };
    // In a group of its own: Ctrl-C is for the demo, which then ends the relay in good order.
    this.child = spawn(process.execPath, [PROGRAM, options.command ?? 'worker'], {
      cwd: FOLDER,
      env: this.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [this.child.stdout, this.child.stderr])
      output?.on('data', (text) => this.keep(text));
    this.exited = new Promise((resolve) => {
      this.child.once('close', () => resolve());
      this.child.once('error', () => resolve());
    });
    if (this.child.pid !== undefined) guard(`group ${this.child.pid}`);
  }

  /** Starts one, and again on another port where somebody was faster to take that one. */
  static start(options: RelayOptions, onStart: (relay: RelayProcess) => void): Promise<RelayProcess> {
    const tryOnce = async (retries: number): Promise<RelayProcess> => {
      const relay = new RelayProcess(options, await freePort());
      onStart(relay);
      if (await relay.becomesReady()) return relay;
      if (retries > 0 && relay.lastLines.includes('EADDRINUSE')) return tryOnce(retries - 1);
      throw new Error(`a relay ended while it started:\n${relay.lastLines}`);
    };
    return tryOnce(2);
  }

  get address(): string {
    return `http://${HOST}:${this.port}`;
  }

  get isRunning(): boolean {
    return this.child.pid !== undefined && this.exitCode === null && this.child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  get lastLines(): string {
    return this.log.join('\n');
  }

  async metrics(): Promise<RelayMetrics> {
    try {
      const response = await fetch(`${this.address}/metrics`, { signal: this.options.signal });
      return new RelayMetrics(await response.text());
    } catch (error) {
      if (this.isRunning) throw error;
      throw new Error(`a relay ended:\n${this.lastLines}`);
    }
  }

  /** What `evolution-relay audit` says about this relay's only destination. */
  async audit(): Promise<AuditLine> {
    return (await this.audits())[0] ?? NOTHING;
  }

  async audits(): Promise<AuditLine[]> {
    const { signal } = this.options;
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, 'audit', '--json'], {
      cwd: FOLDER,
      env: this.environment,
      signal,
    }).catch((error: unknown) => {
      // Exit code 1 means a difference, and that is for the report to tell.
      if (error instanceof Error && 'stdout' in error && error.stdout)
        return { stdout: String(error.stdout) };
      throw error;
    });
    return (JSON.parse(stdout) as { destinations: AuditLine[] }).destinations;
  }

  /** SIGTERM: drains and ends. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const patience = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.exited;
    clearTimeout(patience);
    if (this.child.pid !== undefined) release(`group ${this.child.pid}`);
  }

  /** False where it ended instead. */
  private async becomesReady(): Promise<boolean> {
    const { signal } = this.options;
    const deadline = Date.now() + READY_MS;
    while (this.isRunning) {
      const answer = await fetch(`${this.address}/readyz`, { signal }).catch(() => undefined);
      if (answer?.ok && this.isRunning) return true;
      signal.throwIfAborted();
      if (Date.now() > deadline)
        throw new Error(`a relay is not ready: ${(await answer?.text()) ?? 'it does not answer'}`);
      await delay(50, undefined, { signal });
    }
    await this.exited;
    return false;
  }

  private keep(text: Buffer): void {
    this.log = [...this.log, ...text.toString('utf8').trimEnd().split('\n')].slice(-LOG_LINES);
  }
}
