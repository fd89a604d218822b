import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from '../signals/signals';
import { guard, release } from './guard';
import type { Environment, Exit } from './relay';

const MAIN = join(__dirname, '../../../dist/main.js');
/** A program needs long to start on a machine that is busy. */
const START_MS = 60_000;

/** `evolution-relay listen` as a process of its own, as a developer runs it. */
export class ListenProcess {
  readonly exited: Promise<Exit>;
  output = '';
  private readonly child: ChildProcess;

  constructor(args: readonly string[], env: Environment = {}) {
    this.child = spawn(process.execPath, [MAIN, 'listen', ...args], {
      cwd: __dirname,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = this.child;
    if (pid !== undefined) guard(`group ${pid}`);
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString('utf8');
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        if (pid !== undefined) release(`group ${pid}`);
        resolve({ code, signal });
      });
    });
  }

  untilSays(text: RegExp): Promise<true> {
    return eventually(() => (text.test(this.output) ? true : undefined), `${text} in what it says`, START_MS);
  }

  async interrupt(): Promise<Exit> {
    this.child.kill('SIGINT');
    return this.exited;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
