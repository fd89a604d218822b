import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { clearTimeout, setTimeout } from 'node:timers';
import { guard, release } from './guard';

/** How long a process may take to end by itself before it is killed. */
const PATIENCE_MS = 10_000;

/**
 * A child in a process group of its own. Ctrl-C reaches the foreground group only, so a service lives on
 * while what is under test winds up, and ends when we end it.
 */
export class PrivateProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(
    command: string,
    args: string[],
    options: { cwd: string; env: NodeJS.ProcessEnv; log: string },
  ) {
    const log = openSync(options.log, 'a');
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    if (this.#child.pid !== undefined) guard(`group ${this.#child.pid}`);
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // The group is gone.
    }
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    if (signal === 'SIGTERM') {
      this.signalGroup('SIGCONT'); // A stopped process would not see the SIGTERM.
      this.#child.kill('SIGTERM'); // To the leader alone: RabbitMQ's start script passes it on.
      const timer = setTimeout(() => this.signalGroup('SIGKILL'), PATIENCE_MS);
      await this.#exited;
      clearTimeout(timer);
    }
    this.signalGroup('SIGKILL'); // Also what a leader that died on its own left behind.
    await this.#exited;
    release(`group ${pid}`);
  }
}
