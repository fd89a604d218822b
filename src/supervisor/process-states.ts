import type { Transitions } from '../lifecycle/state-machine';

/**
 * | state     | meaning                                                     |
 * |-----------|-------------------------------------------------------------|
 * | starting  | it runs, and has not begun to work                          |
 * | answering | it works                                                    |
 * | silent    | it left a question unanswered, and has said nothing since   |
 * | over      | it has ended, or could not be started                       |
 */
export type ProcessState = 'starting' | 'answering' | 'silent' | 'over';

export const PROCESS_TRANSITIONS: Transitions<ProcessState> = {
  starting: ['answering', 'over'],
  answering: ['silent', 'over'],
  silent: ['answering', 'over'],
  over: [],
};
