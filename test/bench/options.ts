import { parseArgs } from 'node:util';

export const SECTIONS = [
  'throughput',
  'endpoints',
  'instances',
  'isolation',
  'drain',
  'latency',
  'parking',
  'websocket',
  'pusher',
  'memory',
  'sqs',
  'deduplication',
  'log',
  'turns',
  'silence',
  'filters',
  'normalise',
  'rate',
  'ordered',
  'dashboard',
  'start',
  'capacity',
  'scaling',
] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface BenchOptions {
  readonly sections: readonly SectionName[];
  readonly rounds: number;
  /** Events of one measurement of throughput or parking; the other sections follow from it. */
  readonly events: number;
}

/** What the goals are stated for. */
const DEFAULTS = { rounds: 3, events: 20_000 };

export const USAGE = `npm run bench -- [--only ${SECTIONS.join('|')}] [--rounds N] [--events N]`;

/** @throws Error that tells what is wrong with the arguments */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, rounds: { type: 'string' }, events: { type: 'string' } },
  });
  const only = values.only?.split(',');
  const unknown = only?.find((name) => !SECTIONS.some((section) => section === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: must be ${SECTIONS.join(', ')}`);
  return {
    sections: SECTIONS.filter((section) => only === undefined || only.includes(section)),
    rounds: wholeNumber('--rounds', values.rounds, DEFAULTS.rounds),
    events: wholeNumber('--events', values.events, DEFAULTS.events),
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new Error(`${name} ${text}: must be a whole number from 1`);
  return Number(text);
}
