import type { LogRecord } from '../delivery-log/log-record';

/** How the latest attempts at one destination ended. */
export interface AttemptFigures {
  readonly attempts: number;
  /** Between 0 and 1. */
  readonly failureShare: number;
  readonly p99Ms: number;
}

/** By destination; records that are no attempts of theirs are left out. */
export function attemptFigures(records: readonly LogRecord[]): ReadonlyMap<string, AttemptFigures> {
  const byDestination = new Map<string, LogRecord[]>();
  for (const record of records) {
    if (record.attempt === 0 || record.what === 'interrupted') continue;
    const found = byDestination.get(record.destination);
    if (found === undefined) byDestination.set(record.destination, [record]);
    else found.push(record);
  }
  return new Map([...byDestination].map(([destination, all]) => [destination, figuresOf(all)]));
}

function figuresOf(records: readonly LogRecord[]): AttemptFigures {
  const failed = records.filter(({ what }) => what === 'failed' || what === 'rejected').length;
  const durations = records.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const p99Ms = durations[Math.ceil(durations.length * 0.99) - 1] ?? 0;
  return { attempts: records.length, failureShare: failed / records.length, p99Ms };
}
