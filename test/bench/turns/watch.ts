import { LongestStep } from '../../support/signals/longest-step';

/**
 * Loaded before the relay's own code: answers each message of the parent with the longest turn since the last one, in
 * milliseconds of processor time.
 */
let step = new LongestStep();
process.on('message', () => {
  process.send?.(step.end());
  step = new LongestStep();
});
process.channel?.unref();
