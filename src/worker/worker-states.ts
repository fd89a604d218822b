import type { Transitions } from '../lifecycle/state-machine';

/**
 * | state    | meaning                                                                       |
 * |----------|-------------------------------------------------------------------------------|
 * | idle     | everything is made, nothing runs                                              |
 * | starting | the metrics port is being opened, the sources are being started               |
 * | running  | everything runs or, where a broker or Redis is away, waits for it             |
 * | draining | nothing comes in any more; what is under way is settled, then everything ends |
 * | closed   | for good                                                                      |
 */
export type WorkerState = 'idle' | 'starting' | 'running' | 'draining' | 'closed';

export const WORKER_TRANSITIONS: Transitions<WorkerState> = {
  idle: ['starting', 'draining'],
  starting: ['running', 'draining'],
  running: ['draining'],
  draining: ['closed'],
  closed: [],
};
