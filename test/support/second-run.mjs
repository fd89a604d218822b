/**
 * Which suites of a whole run may be run once more, by themselves. Tests with brokers, processes and browsers have bounds of
 * time, which a busy machine breaks; the second run, one file after the other, tells a slow machine from a fault, and says what it
 * was. Unit tests and the model have no such excuse: they fail at once, and so does whatever says that something was lost.
 */
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const OF_TIME = ['faults', 'integration', 'contract'].map((folder) => ['test', folder, ''].join(sep));
/** As `expect` shows what was not expected. */
const LOSS = /\+\s+"lost": [1-9]|, lost [1-9]/;
/** More than these are no matter of time. */
const MOST = 5;

/**
 * @param {string} file what jest wrote with `--json`
 * @param {string} root
 * @returns {string[]} paths; none where the run has failed for good
 */
export function suitesToRunAgain(file, root) {
  let results;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
  const failed = results.testResults.filter(({ status }) => status === 'failed');
  const mayRun = ({ name, message }) =>
    OF_TIME.some((folder) => relative(root, name).startsWith(folder)) &&
    !LOSS.test(stripVTControlCharacters(message));
  return failed.length <= MOST && failed.every(mayRun) ? failed.map(({ name }) => name) : [];
}
