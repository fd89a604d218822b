import { instanceOf } from '../destinations/destination-ids';
import { type DestinationId, destinationKey } from '../pipeline/delivery';
import type { StoredCalls } from '../retry/retry-store';
import { monotonicMs } from '../time/monotonic';
import {
  type HealthRecord,
  parseHealthRecord,
  parseRejectionRecord,
  type UnwellRecord,
} from './health-record';

/** Worst first. */
export const DESTINATION_STATES = ['suspended', 'failing', 'rejecting', 'waiting', 'well'] as const;
export type DestinationState = (typeof DESTINATION_STATES)[number];

/** How a destination is; times are epoch milliseconds. */
export interface DestinationHealth {
  readonly id: DestinationId;
  readonly state: DestinationState;
  /** Since when nothing has succeeded or everything was rejected, or since a person suspended it. */
  readonly since?: number;
  /** Why it is suspended. */
  readonly by?: HealthRecord['by'];
  /** Deliveries parked for it. */
  readonly waiting: number;
  /** When the oldest of those was parked that are due. */
  readonly oldest?: number;
  /** When it is attempted again, where a person must not resume it first. */
  readonly nextAttempt?: number;
  /** Of the last attempt that failed or was rejected. */
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

/** All destinations at one moment, worst first; without the ages of what waits. */
export interface KnownDestinations {
  readonly all: readonly DestinationHealth[];
  /** Those of an instance. */
  of(instance: string): readonly DestinationHealth[];
}

/** Sorted and divided once for all who ask: of tens of thousands either takes longer than to make a page of them. */
class Reading implements KnownDestinations {
  private sorted: DestinationHealth[] | undefined;
  private byInstance: ReadonlyMap<string, DestinationHealth[]> | undefined;

  constructor(private readonly byId: Map<string, DestinationHealth>) {}

  get(id: string): DestinationHealth | undefined {
    return this.byId.get(id);
  }

  get all(): readonly DestinationHealth[] {
    this.sorted ??= [...this.byId.values()].sort(worstFirst);
    return this.sorted;
  }

  of(instance: string): readonly DestinationHealth[] {
    this.byInstance ??= dividedByInstance(this.all);
    return this.byInstance.get(instance) ?? [];
  }

  /** A tenant may change its own many times a second: the others are not sorted again for that. */
  replace(known: DestinationHealth, changed: DestinationHealth): void {
    this.byId.set(changed.id, changed);
    for (const list of [this.sorted, this.byInstance?.get(instanceOf(changed.id) ?? '')]) {
      const place = list?.indexOf(known) ?? -1;
      if (list === undefined || place < 0) continue;
      list.splice(place, 1);
      const next = list.findIndex((each) => worstFirst(changed, each) < 0);
      list.splice(next < 0 ? list.length : next, 0, changed);
    }
  }
}

/** There may be tens of thousands, and tenants ask: they are read no more often than this, however often tenants ask. */
const READ_AGAIN_MS = 1000;

/** For people: how each destination is, and what a person may do about it. */
export class DestinationList {
  private latest: { readonly at: number; readonly reading: Promise<Reading> } | undefined;

  constructor(private readonly store: Pick<StoredCalls, 'call'>) {}

  /** Worst first, in the order of `DESTINATION_STATES`. */
  async page({ instance, state, offset = 0, limit }: DestinationFilter): Promise<DestinationPage> {
    const reading = await this.read();
    const all = instance === undefined ? reading.all : reading.of(instance);
    const wanted = state === undefined ? all : all.filter((each) => each.state === state);
    const chosen = wanted.slice(offset, offset + limit);
    return { destinations: await this.withOldest(chosen), total: wanted.length };
  }

  everything(): Promise<KnownDestinations> {
    return this.read();
  }

  async show(id: string): Promise<DestinationHealth | undefined> {
    const found = (await this.read()).get(id);
    return found === undefined ? undefined : (await this.withOldest([found]))[0];
  }

  /** False where nobody knows such a destination. */
  async suspend(id: string): Promise<boolean> {
    if ((await this.read()).get(id) === undefined) return false;
    await this.store.call('relaySuspend', destinationKey(id as DestinationId), id);
    const suspended = { state: 'suspended', by: 'person' } as const;
    await this.note(id, ({ nextAttempt: _none, since = Date.now(), ...known }) => {
      return { ...known, since, ...suspended };
    });
    return true;
  }

  /** False where nobody knows such a destination; one that is well stays so. */
  async resume(id: string): Promise<boolean> {
    if ((await this.read()).get(id) === undefined) return false;
    await this.store.call('relayWell', destinationKey(id as DestinationId), 1);
    await this.note(id, (known) => healthOf(known.id, undefined, known.waiting));
    return true;
  }

  /** What a person changed shows at once. It is not read for that: a tenant may change its own many times a second. */
  private async note(id: string, change: (known: DestinationHealth) => DestinationHealth): Promise<void> {
    const reading = await this.read();
    const known = reading.get(id);
    if (known !== undefined) reading.replace(known, change(known));
  }

  private read(): Promise<Reading> {
    const now = monotonicMs();
    if (this.latest !== undefined && now - this.latest.at < READ_AGAIN_MS) return this.latest.reading;
    const latest = { at: now, reading: this.readAll() };
    this.latest = latest;
    latest.reading.catch(() => {
      if (this.latest === latest) this.latest = undefined;
    });
    return latest.reading;
  }

  private async readAll(): Promise<Reading> {
    const reply = await this.store.call('relayDestinations');
    const [names, texts, parked, rejecting = []] = reply as [string[], string[], string[], string[]?];
    const ids = mapOf(names);
    const records = new Map([
      ...recordsOf(rejecting, parseRejectionRecord),
      ...recordsOf(texts, parseHealthRecord),
    ]);
    for (const [key, { id }] of records) ids.set(key, id);
    const waiting = mapOf(parked);
    const byId = new Map<string, DestinationHealth>();
    for (const [key, id] of ids) {
      // Names of the audit for what is no destination.
      if (!id.includes(':')) continue;
      byId.set(id, healthOf(id as DestinationId, records.get(key), Number(waiting.get(key) ?? 0)));
    }
    return new Reading(byId);
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

function recordsOf(
  flat: readonly string[],
  parse: (text: string) => UnwellRecord | undefined,
): [key: string, record: UnwellRecord][] {
  return [...mapOf(flat)].flatMap(([key, text]): [string, UnwellRecord][] => {
    const record = parse(text);
    return record === undefined ? [] : [[key, record]];
  });
}

function healthOf(id: DestinationId, record: UnwellRecord | undefined, waiting: number): DestinationHealth {
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

function dividedByInstance(all: readonly DestinationHealth[]): ReadonlyMap<string, DestinationHealth[]> {
  const byInstance = new Map<string, DestinationHealth[]>();
  for (const health of all) {
    const instance = instanceOf(health.id);
    if (instance === undefined) continue;
    const others = byInstance.get(instance);
    if (others === undefined) byInstance.set(instance, [health]);
    else others.push(health);
  }
  return byInstance;
}

function mapOf(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(flat[index] ?? '', flat[index + 1] ?? '');
  return map;
}
