import { causeWords } from '../pipeline/failure-cause';
import type { DestinationHealth } from './destination-list';

/** A destination as the gateway and the command line show it: times as ISO, and its code in words. */
export function shownDestination(health: DestinationHealth): Readonly<Record<string, unknown>> {
  const { since, oldest, nextAttempt, ...rest } = health;
  const cause = causeWords(health.code);
  return {
    ...rest,
    ...(cause === '' ? {} : { cause }),
    ...timeOf('since', since),
    ...timeOf('oldest', oldest),
    ...timeOf('nextAttempt', nextAttempt),
  };
}

function timeOf(name: string, at: number | undefined): object {
  return at === undefined ? {} : { [name]: new Date(at).toISOString() };
}
