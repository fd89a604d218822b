import { join } from 'node:path';
import { eventually } from '../signals/signals';
import { ChildProgram } from './child-program';
import type { Environment, Exit } from './relay';

const MAIN = join(__dirname, '../../../dist/main.js');
/** A program needs long to start on a machine that is busy. */
const START_MS = 60_000;

/** `evolution-relay listen` as a process of its own, as a developer runs it. */
export class ListenProcess extends ChildProgram {
  constructor(args: readonly string[], env: Environment = {}) {
    super([process.execPath, MAIN, 'listen', ...args], __dirname, env);
  }

  untilSays(text: RegExp): Promise<true> {
    return eventually(() => (text.test(this.output) ? true : undefined), `${text} in what it says`, START_MS);
  }

  interrupt(): Promise<Exit> {
    return this.end('SIGINT');
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }
}
