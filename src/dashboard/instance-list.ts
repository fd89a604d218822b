import type { Silence, SilenceStore } from '../silence/silence-store';
import type { WatchedInstance } from '../silence/watched-instance';
import { Slices } from '../time/slices';
import { SharedReading } from './shared-reading';

/** `unheard`: something is set for it, and nothing came from it yet, or only within the last hour. */
export const INSTANCE_STATES = ['silent', 'lively', 'learning', 'unwatched', 'unheard'] as const;
export type InstanceState = (typeof INSTANCE_STATES)[number];

/** What is known of an instance; times are epoch milliseconds. */
export interface InstanceKnown {
  readonly name: string;
  readonly state: InstanceState;
  readonly silence: Silence | undefined;
  /** Its connection was closed then, and has not been open since. */
  readonly closedAt: number | undefined;
  readonly lastMessageAt: number | undefined;
  readonly perDay: number | undefined;
}

export interface InstanceListParts {
  readonly silence: Pick<SilenceStore, 'instances' | 'silentOnes'>;
  readonly allSettings: () => AsyncIterable<readonly [instance: string, settings: unknown]>;
}

const INTERVAL_MS = 10_000;

/** All instances that anything is known of, the silent ones first; read once for all who look. */
export class InstanceList {
  private readonly reading: SharedReading<readonly InstanceKnown[]>;

  constructor(private readonly parts: InstanceListParts) {
    this.reading = new SharedReading({ read: () => this.read(), leastMs: INTERVAL_MS });
  }

  current(): Promise<readonly InstanceKnown[]> {
    return this.reading.current();
  }

  private async read(): Promise<readonly InstanceKnown[]> {
    const { silence, allSettings } = this.parts;
    const silent = await silence.silentOnes();
    const slices = new Slices();
    const all = new Map<string, InstanceKnown>();
    for await (const [name, watched] of silence.instances()) {
      await slices.pause();
      all.set(name, knownOf(name, watched, silent.get(name)));
    }
    for await (const [name] of allSettings()) {
      await slices.pause();
      if (!all.has(name)) all.set(name, knownOf(name, undefined, silent.get(name)));
    }
    return [...all.values()].sort(silentFirst);
  }
}

export function knownOf(
  name: string,
  watched: WatchedInstance | undefined,
  silence: Silence | undefined,
): InstanceKnown {
  const closedAt = watched?.state.closedAt;
  return {
    name,
    silence,
    state: silence === undefined ? stateOf(watched) : 'silent',
    closedAt: closedAt === 0 ? undefined : closedAt,
    lastMessageAt: watched?.state.lastMessageAt,
    perDay: watched?.rhythm.usual.perDay,
  };
}

/** Silences are told at once, and records are an hour old at most: where only the record says so, it has ended. */
function stateOf(watched: WatchedInstance | undefined): InstanceState {
  if (watched === undefined) return 'unheard';
  const { kind } = watched.verdict;
  return kind === 'silent' ? 'lively' : kind;
}

function silentFirst(one: InstanceKnown, other: InstanceKnown): number {
  const bySilence = Number(other.state === 'silent') - Number(one.state === 'silent');
  if (bySilence !== 0) return bySilence;
  return one.name < other.name ? -1 : 1;
}
