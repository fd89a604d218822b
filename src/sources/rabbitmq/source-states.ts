import type { Transitions } from '../../lifecycle/state-machine';

/**
 * | state      | meaning                                                                             |
 * |------------|-------------------------------------------------------------------------------------|
 * | idle       | not started                                                                         |
 * | connecting | a connection is being made                                                          |
 * | declaring  | connected; exchanges, queues and bindings are being looked at; messages may come in |
 * | consuming  | everything that the broker allows is consumed                                       |
 * | waiting    | the connection is gone, or could not be made: a pause                               |
 * | stopping   | nothing comes in any more; what is held may still be settled                        |
 * | closed     | for good                                                                            |
 */
export type SourceState =
  | 'idle'
  | 'connecting'
  | 'declaring'
  | 'consuming'
  | 'waiting'
  | 'stopping'
  | 'closed';

export const SOURCE_TRANSITIONS: Transitions<SourceState> = {
  idle: ['connecting', 'stopping', 'closed'],
  connecting: ['declaring', 'waiting', 'stopping'],
  declaring: ['consuming', 'waiting', 'stopping'],
  consuming: ['declaring', 'waiting', 'stopping'],
  waiting: ['connecting', 'stopping'],
  stopping: ['closed'],
  closed: [],
};
