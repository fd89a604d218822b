import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { guard, release } from '../support/processes/guard';
import type { Cleanup } from './cleanup';

const ROOT = join(__dirname, '../..');
const TAIL = 4000;
const PATIENCE_MS = 15_000;

export interface ChildOptions {
  readonly name: string;
  /** Arguments of node. */
  readonly args: readonly string[];
  /** Its whole environment, PATH aside: a variable of ours would otherwise change what is measured. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** A process of its own for everything that is measured: none inherits what another made of V8. */
export class Child {
  readonly pid: number;
  private readonly process: ChildProcess;
  private tail = '';
  private stopping = false;
  private readonly forget: () => Promise<void>;

  private constructor(
    private readonly options: ChildOptions,
    cleanup: Cleanup,
  ) {
    this.process = spawn(process.execPath, options.args, {
      cwd: options.folder,
      env: { PATH: process.env['PATH'], ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // In a group of its own: Ctrl-C is ours to pass on.
      detached: true,
    });
    for (const output of [this.process.stdout, this.process.stderr]) {
      output?.on('data', (chunk) => {
        this.tail = `${this.tail}${chunk}`.slice(-TAIL);
      });
    }
    this.pid = this.process.pid ?? 0;
    guard(`group ${this.pid}`);
    this.forget = cleanup.add(() => this.end());
  }

  static async start(options: ChildOptions, cleanup: Cleanup): Promise<Child> {
    const child = new Child(options, cleanup);
    await once(child.process, 'spawn');
    return child;
  }

  /** Path of a file of the project, for the arguments. */
  static path(...names: string[]): string {
    return join(ROOT, ...names);
  }

  /** Arguments that run one of the benchmark's own files. */
  static script(...names: string[]): string[] {
    return ['-r', Child.path('test/support/ts-hook.cjs'), join(__dirname, ...names)];
  }

  /** @throws Error with what it said last, when it ended by itself */
  check(): void {
    if (this.stopping || (this.process.exitCode === null && this.process.signalCode === null)) return;
    throw this.endedEarly();
  }

  /** The next message that it sends. */
  message<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(this.endedEarly());
      this.process.once('exit', onExit);
      this.process.once('message', (message) => {
        this.process.off('exit', onExit);
        resolve(message as T);
      });
    });
  }

  /** Processor time used so far, in ms; 0 where there is no /proc. In hundredths of a second, as Linux counts it. */
  get cpuMs(): number {
    try {
      // The name before the numbers may hold spaces, but nothing behind it holds a parenthesis.
      const fields = readFileSync(`/proc/${this.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return 0;
    }
  }

  send(message: string | number): void {
    this.process.send(message);
  }

  private endedEarly(): Error {
    const how = this.process.signalCode ?? `status ${this.process.exitCode}`;
    return new Error(`${this.options.name} ended by itself (${how}):\n${this.tail}`);
  }

  /** In good order, so that acknowledgements on their way arrive. */
  async stop(): Promise<void> {
    await this.forget();
  }

  private async end(): Promise<void> {
    this.stopping = true;
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const exited = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      const timer = setTimeout(() => this.process.kill('SIGKILL'), PATIENCE_MS);
      await exited;
      clearTimeout(timer);
    }
    release(`group ${this.pid}`);
  }
}
