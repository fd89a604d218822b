import { instanceOf } from '../destinations/destination-ids';
import { type DestinationId, destinationKey } from '../pipeline/delivery';
import type { StoredCalls } from '../retry/retry-store';
import { type HealthRecord, parseHealthRecord } from './health-record';

/** Worst first. */
export const DESTINATION_STATES = ['suspended', 'failing', 'waiting', 'well'] as const;
export type DestinationState = (typeof DESTINATION_STATES)[number];

/** How a destination is; times are epoch milliseconds. */
export interface DestinationHealth {
  readonly id: DestinationId;
  readonly state: DestinationState;
  /** Since when nothing has succeeded, or since a person suspended it. */
  readonly since?: number;
  /** Why it is suspended. */
  readonly by?: HealthRecord['by'];
  /** Deliveries parked for it. */
  readonly waiting: number;
  /** When the oldest of those was parked that are due. */
  readonly oldest?: number;
  /** When it is attempted again, where a person must not resume it first. */
  readonly nextAttempt?: number;
  /** Of the last attempt that failed. */
  readonly code?: string;
  readonly status?: number;
  /** As it may be shown. */
  readonly address?: string;
}

export interface DestinationFilter {
  readonly instance?: string;
  readonly state?: DestinationState;
  readonly offset?: number;
  readonly limit: number;
}

export interface DestinationPage {
  readonly destinations: readonly DestinationHealth[];
  /** How many there are in all. */
  readonly total: number;
}

/** For people: how each destination is, and what a person may do about it. */
export class DestinationList {
  constructor(private readonly store: Pick<StoredCalls, 'call'>) {}

  /** Worst first: suspended, failing, those for which deliveries wait, all others. */
  async page({ instance, state, offset = 0, limit }: DestinationFilter): Promise<DestinationPage> {
    const all = (await this.all()).filter(
      (each) =>
        (instance === undefined || instanceOf(each.id) === instance) &&
        (state === undefined || each.state === state),
    );
    const chosen = all.sort(worstFirst).slice(offset, offset + limit);
    return { destinations: await this.withOldest(chosen), total: all.length };
  }

  /** All there are, worst first; without the ages of what waits. */
  async everything(): Promise<DestinationHealth[]> {
    return (await this.all()).sort(worstFirst);
  }

  async show(id: string): Promise<DestinationHealth | undefined> {
    const found = (await this.all()).find((each) => each.id === id);
    return found === undefined ? undefined : (await this.withOldest([found]))[0];
  }

  /** False where nobody knows such a destination. */
  async suspend(id: string): Promise<boolean> {
    if (!(await this.isKnown(id))) return false;
    await this.store.call('relaySuspend', destinationKey(id as DestinationId), id);
    return true;
  }

  /** False where nobody knows such a destination; one that is well stays so. */
  async resume(id: string): Promise<boolean> {
    if (!(await this.isKnown(id))) return false;
    await this.store.call('relayWell', destinationKey(id as DestinationId), 1);
    return true;
  }

  private async isKnown(id: string): Promise<boolean> {
    return (await this.all()).some((each) => each.id === id);
  }

  private async all(): Promise<DestinationHealth[]> {
    const reply = await this.store.call('relayDestinations');
    const [names, records, parked] = (reply as [string[], string[], string[]]).map(mapOf);
    const ids = new Map(names);
    const unwell = new Map<string, HealthRecord>();
    for (const [key, text] of records ?? []) {
      const record = parseHealthRecord(text);
      if (record === undefined) continue;
      unwell.set(key, record);
      ids.set(key, record.id);
    }
    const all: DestinationHealth[] = [];
    for (const [key, id] of ids)
      if (id !== 'none')
        all.push(healthOf(id as DestinationId, unwell.get(key), Number(parked?.get(key) ?? 0)));
    return all;
  }

  /** With the age of what waits for each. */
  async withOldest(chosen: readonly DestinationHealth[]): Promise<DestinationHealth[]> {
    const keys = chosen.map(({ id }) => destinationKey(id));
    const times = (await this.store.call('relayOldestOf', ...keys)) as string[];
    return chosen.map((each, index) => {
      const oldest = Math.floor(Number(times[index]));
      return oldest > 0 ? { ...each, oldest } : each;
    });
  }
}

function healthOf(id: DestinationId, record: HealthRecord | undefined, waiting: number): DestinationHealth {
  if (record === undefined) return { id, state: waiting > 0 ? 'waiting' : 'well', waiting };
  const { print: _print, untilMs, ...shown } = record;
  const nextAttempt = record.by === 'person' || untilMs === undefined ? {} : { nextAttempt: untilMs };
  return { ...shown, ...nextAttempt, waiting };
}

function worstFirst(a: DestinationHealth, b: DestinationHealth): number {
  const rank = ({ state }: DestinationHealth): number => DESTINATION_STATES.indexOf(state);
  return (
    rank(a) - rank(b) ||
    (a.since ?? 0) - (b.since ?? 0) ||
    b.waiting - a.waiting ||
    (a.id < b.id ? -1 : Number(a.id > b.id))
  );
}

function mapOf(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(flat[index] ?? '', flat[index + 1] ?? '');
  return map;
}
