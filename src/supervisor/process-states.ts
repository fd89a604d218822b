import type { Transitions } from '../lifecycle/state-machine';

/**
 * | state     | meaning                                                     |
 * |-----------|-------------------------------------------------------------|
 * | starting  | it runs, and has not begun to work                          |
 * | stuck     | it has not begun to work, and left a question unanswered     |
 * | answering | it works                                                    |
 * | silent    | it left a question unanswered, and has said nothing since   |
 * | over      | it has ended, or could not be started                       |
 */
export type ProcessState = 'starting' | 'stuck' | 'answering' | 'silent' | 'over';

export const PROCESS_TRANSITIONS: Transitions<ProcessState> = {
  starting: ['stuck', 'answering', 'over'],
  stuck: ['starting', 'answering', 'over'],
  answering: ['silent', 'over'],
  silent: ['answering', 'over'],
  over: [],
};
