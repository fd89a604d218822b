import { type ChildProcess, spawn } from 'node:child_process';
import { guard, release } from './guard';
import type { Environment, Exit } from './relay';

/** A program as a process of its own, which is ended with the tests at the latest; keeps what it says. */
export class ChildProgram {
  readonly exited: Promise<Exit>;
  output = '';
  private readonly child: ChildProcess;

  constructor([program, ...args]: readonly [string, ...string[]], cwd: string, env: Environment = {}) {
    this.child = spawn(program, args, {
      cwd,
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

  /** Resolves when nothing is left of it. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.child.kill(signal);
    return this.exited;
  }
}
