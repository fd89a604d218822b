import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { guard, release } from '../processes/guard';
import { eventually } from '../signals/signals';

export interface DocumentShellParts {
  /** Where blocks are run. */
  readonly folder: string;
  /** Programs that stand for others of the same name. */
  readonly programs: string;
  /** Answers 200 when a server has come up; its port becomes METRICS_PORT. */
  readonly readiness: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface BlockResult {
  readonly code: number | null;
  readonly output: string;
}

const BLOCK_MS = 120_000;
const SERVER_MS = 60_000;
const OUTPUT_LIMIT = 65_536;

/** Runs shell blocks of a page as a reader would paste them, each in a bash of its own that ends at the first failure. */
export class DocumentShell {
  private readonly servers: ChildProcess[] = [];

  constructor(private readonly parts: DocumentShellParts) {}

  /** The path of a program. */
  static find(program: string): string {
    const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
    for (const candidate of candidates) {
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        // It is in another folder.
      }
    }
    throw new Error(`${program} is not installed`);
  }

  async run(script: string): Promise<BlockResult> {
    const child = this.start(script);
    const output = outputOf(child);
    const timer = setTimeout(() => kill(child), BLOCK_MS);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    kill(child);
    return { code, output: output() };
  }

  /** Resolves when the server that the block starts is ready. It runs until `close`. */
  async serve(script: string): Promise<void> {
    const child = this.start(script);
    const output = outputOf(child);
    this.servers.push(child);
    const isReady = async (): Promise<true | undefined> => {
      if (child.exitCode !== null) throw new Error(`the server ended: ${output()}`);
      const answer = await fetch(this.parts.readiness).catch(() => undefined);
      await answer?.arrayBuffer();
      return answer?.ok === true ? true : undefined;
    };
    await eventually(isReady, `${script} comes up`, SERVER_MS);
  }

  async close(): Promise<void> {
    for (const server of this.servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      const closed = once(server, 'close');
      kill(server);
      await closed;
    }
  }

  private start(script: string): ChildProcess {
    const { folder, programs, readiness, env } = this.parts;
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: {
        ...env,
        PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}`,
        HOME: process.env['HOME'] ?? folder,
        METRICS_PORT: new URL(readiness).port,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    if (child.pid !== undefined) guard(`group ${child.pid}`);
    return child;
  }
}

function outputOf(child: ChildProcess): () => string {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => output;
}

/** With everything that it started. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
  release(`group ${pid}`);
}
