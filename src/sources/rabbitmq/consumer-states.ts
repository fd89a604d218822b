import type { Transitions } from '../../lifecycle/state-machine';

/**
 * | state     | meaning                                                                         |
 * |-----------|---------------------------------------------------------------------------------|
 * | idle      | nothing was wanted yet, there is no channel                                     |
 * | changing  | subscriptions are being made or ended; messages come in                         |
 * | consuming | subscriptions are as wanted                                                     |
 * | stopping  | subscriptions are being ended; what comes in goes back when they are            |
 * | stopped   | nothing comes in; what is held may still be settled                             |
 * | lost      | the channel is gone: settling has no effect, everything held comes again        |
 * | closed    | closed on purpose; the broker has taken back what was held                      |
 */
export type ConsumerState = 'idle' | 'changing' | 'consuming' | 'stopping' | 'stopped' | 'lost' | 'closed';

export const CONSUMER_TRANSITIONS: Transitions<ConsumerState> = {
  idle: ['changing', 'stopping', 'lost', 'closed'],
  changing: ['consuming', 'stopping', 'lost', 'closed'],
  consuming: ['changing', 'stopping', 'lost', 'closed'],
  stopping: ['stopped', 'lost', 'closed'],
  stopped: ['lost', 'closed'],
  lost: [],
  closed: [],
};
