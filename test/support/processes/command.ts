import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MAIN = join(__dirname, '..', '..', '..', 'dist', 'main.js');

/** Runs the built command line in `cwd` with nothing of our own environment but what is needed to run at all. */
export function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
): Promise<CommandResult> {
  if (!existsSync(MAIN)) throw new Error('dist/main.js is missing: npm run build');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
