import { type ChildProcess, execFile, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { guard, release } from './guard';
import type { Environment } from './relay';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Command {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
}

interface Answer extends CommandResult {
  readonly id: number;
  /** What would keep a process of its own alive. */
  readonly left?: string;
}

const MAIN = join(__dirname, '../../../dist/main.js');
/** A folder without `.env` and `config`: only what a test sets counts. */
const DIRECTORY = __dirname;
/** Commands that end by themselves and keep nothing for the next one. */
const HOSTED = ['audit', 'config', 'dead-letters', 'doctor', 'parked', 'publish', 'settings'];

/**
 * Runs a command of the built command line with nothing of our own environment but what is needed to run at all: in a
 * process that it shares with the other commands of the test file, where that is the same (`command-host.cjs`).
 */
export function runCommand(
  args: readonly string[],
  env: Environment = {},
  cwd = DIRECTORY,
): Promise<CommandResult> {
  if (!HOSTED.includes(args[0] ?? '')) return runProcess(args, env, cwd);
  return hostFor(env).run({ args, env: ownEnvironment(env), cwd });
}

/** Runs any command in a process of its own. */
export function runProcess(
  args: readonly string[],
  env: Environment = {},
  cwd = DIRECTORY,
): Promise<CommandResult> {
  if (!existsSync(MAIN)) throw new Error('dist/main.js is missing: npm run build');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { cwd, env: ownEnvironment(env), maxBuffer: 2 ** 28, encoding: 'utf8' },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function ownEnvironment(env: Environment): Environment {
  return { PATH: process.env['PATH'] ?? '', ...env };
}

class CommandHost {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer | Error) => void>();
  readonly #exited: Promise<void>;
  #next = 0;

  constructor(env: Environment) {
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    this.#child = fork(join(__dirname, 'command-host.cjs'), {
      env: ownEnvironment(env),
      execArgv: [],
      detached: true,
      stdio: [...stdio],
    });
    const { pid } = this.#child;
    if (pid !== undefined) guard(`group ${pid}`);
    this.#child.on('message', (answer) => {
      const { id } = answer as Answer;
      this.#waiting.get(id)?.(answer as Answer);
      this.#waiting.delete(id);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', () => {
        if (pid !== undefined) release(`group ${pid}`);
        for (const settle of this.#waiting.values()) settle(new Error('the host of commands ended'));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  run(command: Command): Promise<CommandResult> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if (answer instanceof Error) reject(answer);
        else if (answer.left !== undefined)
          reject(new Error(`${command.args.join(' ')} would not end: it left ${answer.left}`));
        else resolve({ code: answer.code, stdout: answer.stdout, stderr: answer.stderr });
      });
      this.#child.send({ id, ...command });
    });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

const hosts = new Map<string, CommandHost>();

/** One for each test file, begun with its first command; Node.js reads its own variables only when it starts. */
function hostFor(env: Environment): CommandHost {
  const nodes = Object.entries(env).filter(([name]) => name.startsWith('NODE_'));
  const key = JSON.stringify(nodes);
  const host = hosts.get(key) ?? new CommandHost(Object.fromEntries(nodes));
  hosts.set(key, host);
  return host;
}

afterAll(async () => {
  await Promise.all([...hosts.values()].map((host) => host.stop()));
  hosts.clear();
});
