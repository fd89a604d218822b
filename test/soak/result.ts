import { INSTANCES, instanceOf, keyOf, type World } from './world';

/** What processes and Redis hold. */
export interface Footprint {
  /** Of the worker with most of either. */
  readonly residentMb: number;
  readonly sockets: number;
  /** Keys of Redis without an expiry. */
  readonly keys: readonly string[];
}

export interface Tallied {
  /** Requests that carried an event. */
  readonly attempted: number;
  /** Requests answered with 2xx. */
  readonly acknowledged: number;
  /** Events that a destination did not get. */
  readonly lost: number;
  /** Answered with 2xx more than once, each further time counted. */
  readonly duplicated: number;
  /** Needed more than one attempt, and arrived. */
  readonly recovered: number;
}

export interface SoakResult extends Tallied {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly published: number;
  /** From the end of the last fault until everything was delivered. */
  readonly healedMs: number;
  readonly before: Footprint;
  readonly after: Footprint;
  readonly unexpected: readonly string[];
}

/** A worker that worked a while keeps this much more of memory. */
const MEMORY_MB = 100;
/** Connections that are kept for the next request. */
const SOCKETS = 40;
/** Such as the log of what changed: parts keep a few each, from the first time that they have something to keep. */
const KEYS = 15;
const NOTHING = { accepted: 0, arrivals: 0 };

export function tallied({ receivers }: World, published: number): Tallied {
  const result = { attempted: 0, acknowledged: 0, lost: 0, duplicated: 0, recovered: 0 };
  for (const [index, receiver] of receivers.entries()) {
    result.attempted += receiver.arrivals;
    result.acknowledged += receiver.accepted;
    for (let event = 0; event < published; event++) {
      if (index > 0 && instanceOf(event) !== index - 1) continue;
      const { accepted, arrivals } = receiver.tallies.get(keyOf(event)) ?? NOTHING;
      if (accepted === 0) result.lost++;
      else result.duplicated += accepted - 1;
      if (accepted > 0 && arrivals > accepted) result.recovered++;
    }
  }
  return result;
}

export async function footprintOf(world: World): Promise<Footprint> {
  const running = world.workers.filter(({ isRunning }) => isRunning);
  return {
    residentMb: Math.max(0, ...running.map(({ residentBytes }) => Math.round(residentBytes / 1024 / 1024))),
    sockets: Math.max(0, ...running.map(({ sockets }) => sockets)),
    keys: await world.keys(),
  };
}

/** What did not come back to where it was. */
export function grown(before: Footprint, after: Footprint): string[] {
  const found: string[] = [];
  if (after.residentMb > before.residentMb + MEMORY_MB)
    found.push(`memory grew from ${before.residentMb} to ${after.residentMb} MB`);
  if (after.sockets > before.sockets + SOCKETS)
    found.push(`sockets grew from ${before.sockets} to ${after.sockets}`);
  const more = after.keys.filter((key) => !before.keys.includes(key));
  if (more.length > KEYS) found.push(`keys of Redis grew by ${more.length}: ${more.slice(0, 5).join(', ')}`);
  return found;
}

export function linesOf(result: SoakResult): string[] {
  const { before, after, faults } = result;
  const words = ['attempted', 'acknowledged', 'lost', 'duplicated', 'recovered'] as const;
  return [
    `seed ${result.seed}, ${result.published} events published for ${INSTANCES + 1} destinations`,
    `faults: ${Object.entries(faults)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    ...words.map((word) => `${word.padEnd(13)} ${result[word]}`),
    `${'unexpected'.padEnd(13)} ${result.unexpected.length}`,
    ...result.unexpected.map((what) => `  ${what}`),
    `everything was delivered ${(result.healedMs / 1000).toFixed(1)} s after the last fault`,
    `memory ${before.residentMb} MB before, ${after.residentMb} MB after`,
    `sockets ${before.sockets} before, ${after.sockets} after`,
    `keys of Redis ${before.keys.length} before, ${after.keys.length} after`,
  ];
}

export function isWell({ lost, unexpected }: SoakResult): boolean {
  return lost === 0 && unexpected.length === 0;
}
