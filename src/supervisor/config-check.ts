import type { ChildProcess } from 'node:child_process';
import type { Config } from '../config/config';
import { isMessage } from './messages';

/*
 * A supervisor lets another process check the configuration. Checking takes every destination and source, a third of the
 * memory of a supervisor that would keep them for as long as its workers run, and never use them again.
 */

/** What a supervisor goes by itself. */
export type SupervisorConfig = Pick<Config, 'log' | 'metrics' | 'shutdownTimeoutMs'>;

interface Checked {
  readonly kind: 'checked';
  readonly config: SupervisorConfig;
}

export type CheckResult =
  | { readonly kind: 'good'; readonly config: SupervisorConfig }
  /** What is wrong has been said by the process that checked. */
  | { readonly kind: 'failed'; readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** Waits for what a process that was started to check the configuration finds. */
export function checkedBy(child: ChildProcess): Promise<CheckResult> {
  return new Promise((resolve, reject) => {
    let config: SupervisorConfig | undefined;
    child.on('message', (message: unknown) => {
      if (isMessage(message) && message.kind === 'checked') ({ config } = message as Checked);
    });
    child.once('error', reject);
    // What it says of itself has been read by then.
    child.once('close', (code, signal) => {
      resolve(config === undefined ? { kind: 'failed', code, signal } : { kind: 'good', config });
    });
  });
}

/** The other side: the configuration is good. */
export function sendChecked({ log, metrics, shutdownTimeoutMs }: SupervisorConfig): void {
  const message: Checked = { kind: 'checked', config: { log, metrics, shutdownTimeoutMs } };
  // The supervisor may be gone at any moment.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
