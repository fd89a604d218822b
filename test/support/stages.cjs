const { default: Sequencer } = require('@jest/test-sequencer');
const { FAST } = require('./fast.cjs');

/**
 * Each begins once the one before it has nothing left to start. Before others go those that take long, although their
 * files are small, by which jest judges what it never ran: one of them at the very end would run alone.
 */
const STAGES = [/test\/model\/.*-half/, new RegExp(FAST.join('|')), /test\/faults/, /./];

/**
 * Fast tests come before those that start servers and workers by the dozen, which would take the processors from them.
 * Within a stage the longest comes first, as far as jest remembers how long each took.
 */
module.exports = class Stages extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const stageOf = ({ path }) => STAGES.findIndex((stage) => stage.test(path));
    return sorted
      .map((test) => ({ test, stage: stageOf(test) }))
      .sort((a, b) => a.stage - b.stage)
      .map(({ test }) => test);
  }
};
