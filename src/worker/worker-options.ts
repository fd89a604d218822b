import type { Config } from '../config/config';
import type { Modules } from '../modules';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import type { Tracing } from '../pipeline/tracing';
import type { Settings } from '../settings/section';
import type { FileFault } from '../settings/settings-file';

export interface WorkerOptions {
  readonly modules: Modules;
  readonly config: Config;
  /** Of SETTINGS_FILE, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
  /** Entries of SETTINGS_FILE that are wrong. */
  readonly fileFaults?: readonly FileFault[];
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Its number, from 1, where a supervisor answers for it: it opens no port of its own. */
  readonly supervised?: number | undefined;
  /** It cannot go on working: it is to be stopped, and has failed. */
  readonly onUnusable?: () => void;
  /** Undefined: nothing is traced. */
  readonly tracing?: (Tracing & { close(): Promise<void> }) | undefined;
}
