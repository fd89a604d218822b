import { type Command, InvalidArgumentError } from 'commander';
import { type Asked, filterProblems, type GivenFilter } from '../dead-letters/filter-problems';
import { MODULES } from '../modules';
import { MOMENT, parseMoment } from '../time/moment';
import { UsageError } from './exit';
import { parseInstance } from './instance-option';

/** Filters of everything that is stored about deliveries. `happened` says what `--since` is about. */
export function commonFilters(command: Command, happened: string): Command {
  return command
    .option('--instance <name>', 'of this instance', parseInstance)
    .option('--event <event>', 'of this event: messages.upsert or MESSAGES_UPSERT')
    .option('--destination <id>', 'for this destination, such as webhook:global')
    .option('--since <time>', `${happened} at or after: ISO time, or an age such as 2h`, parseTime)
    .option('--until <time>', `${happened} at or before`, parseTime);
}

/** @throws UsageError where a filter names what does not exist */
export function checkFilter(filter: GivenFilter, of: Asked): void {
  const kinds = MODULES.destinations.map(({ kind }) => kind);
  const problems = filterProblems(filter, { of, kinds });
  if (problems.length > 0) throw new UsageError('wrong filter:', problems);
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

function parseTime(text: string): number {
  const moment = parseMoment(text, Date.now());
  if (moment === undefined) throw new InvalidArgumentError(`must be ${MOMENT}`);
  return moment;
}
