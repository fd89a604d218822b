import type { Transitions } from '../../lifecycle/state-machine';

/**
 * | state      | meaning                                                                            |
 * |------------|------------------------------------------------------------------------------------|
 * | idle       | not started                                                                        |
 * | connecting | SQS has not answered yet, or does not answer any more; the source goes on asking   |
 * | consuming  | SQS answers; messages come in where there are any                                  |
 * | stopping   | nothing comes in any more, whatever is answered; what is held may still be settled |
 * | closed     | for good                                                                           |
 */
export type SqsState = 'idle' | 'connecting' | 'consuming' | 'stopping' | 'closed';

export const SQS_TRANSITIONS: Transitions<SqsState> = {
  idle: ['connecting', 'stopping'],
  connecting: ['consuming', 'stopping'],
  consuming: ['connecting', 'stopping'],
  stopping: ['closed'],
  closed: [],
};
