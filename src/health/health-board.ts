import type { SharedCircuits } from '../pipeline/bulkheads';
import type { Circuit, CircuitFault, SharedCircuit } from '../pipeline/circuit';
import { type DestinationId, destinationKey, type Endpoint, isElsewhere } from '../pipeline/delivery';
import type { StoredCalls } from '../retry/retry-store';
import { Looks } from '../time/looks';
import { monotonicMs } from '../time/monotonic';
import { type HealthRecord, obstacleOf, parseHealthRecord, type UnwellRecord } from './health-record';
import { IdsByInstance } from './ids-by-instance';
import { ProbeClaims } from './probe-claims';
import type { Rejections } from './rejections';

/** What became of a destination, for logs. */
export interface HealthChange {
  readonly destination: DestinationId;
  /** As it may be shown; empty where there is none. */
  readonly address: string;
  /** Deliveries that wait for it. */
  readonly waiting: number;
}

/** Learns what this worker found out first. */
export interface HealthObserver {
  failing(change: HealthChange, fault: CircuitFault): void;
  suspended(change: HealthChange, fault: CircuitFault): void;
  recovered(change: HealthChange, failedMs: number): void;
}

export interface HealthBoardParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  readonly openMs: number;
  /** 0: never. */
  readonly suspendAfterMs: number;
  readonly circuitOf: (id: DestinationId) => Circuit | undefined;
  /** Learns from the same answers of Redis what is known of destinations that reject everything. */
  readonly rejections: Pick<Rejections, 'take' | 'records'>;
  /** Where it sends now; undefined where there is no such destination any more. Rejects where that cannot be known. */
  readonly endpointOf: (id: DestinationId) => Promise<Endpoint | undefined>;
  /** All there is was read. */
  readonly onRead: () => void;
  /** One that was well as far as this worker knew is not: it may have another address since what failed there. */
  readonly onUnwell: (id: DestinationId) => void;
  readonly observer: HealthObserver;
  /** The name under which this process says that it is there (retry/presence.ts). */
  readonly worker: string;
  readonly onError: (error: unknown) => void;
}

type ResumeReason = 'changed' | 'removed';

interface Known {
  readonly record: HealthRecord;
  /** Until when nothing is attempted, by this process's clock. */
  readonly until: number;
}

const POLL_MS = 400;
const ALL_ANEW = -1;

/**
 * What all workers know together of the destinations that are not well. Each worker asks Redis for what changed, a few times
 * a second: one number while nothing did. So nothing is missed, whatever became of a connection meanwhile. While Redis is
 * away circuits go on by themselves, and what they found is written afterwards.
 */
export class HealthBoard implements SharedCircuits {
  private readonly known = new Map<DestinationId, Known>();
  private readonly ofInstances = new IdsByInstance();
  /** By key; also of those whose records this worker wrote and has not read yet. */
  private readonly ids = new Map<string, DestinationId>();
  private version = ALL_ANEW;
  /** Changes that were left out as this worker was writing, by the version from which on they are read again. */
  private readonly leftOut = new Map<DestinationId, number>();
  /** Changes on their way to Redis, one after the other for each destination. */
  private readonly writing = new Map<DestinationId, Promise<void>>();
  /** Those that could not be written. */
  private readonly unwritten = new Map<DestinationId, () => Promise<void>>();
  private readonly looks = new Looks(POLL_MS, () => this.poll());
  private readonly claims: ProbeClaims;

  constructor(private readonly parts: HealthBoardParts) {
    this.claims = new ProbeClaims({ ...parts, isTold: (id) => this.isTold(id) });
  }

  start(): void {
    this.looks.start();
    this.looks.soon();
  }

  async stop(): Promise<void> {
    await this.looks.stop();
    await Promise.all(this.writing.values());
  }

  /** The store is not the one that it was. */
  readAnew(): void {
    this.version = ALL_ANEW;
  }

  /** Whether everything there is was read since this store is known. */
  get isRead(): boolean {
    return this.version !== ALL_ANEW;
  }

  /** Records of destinations that are not well, one of each: where one fails or is suspended, that is said of it. */
  get records(): UnwellRecord[] {
    const rejecting = this.parts.rejections.records.filter(({ id }) => !this.known.has(id));
    return [...[...this.known.values()].map(({ record }) => record), ...rejecting];
  }

  get counts(): Readonly<Record<UnwellRecord['state'], number>> {
    const counts = { failing: 0, suspended: 0, rejecting: 0 };
    for (const { state } of this.records) counts[state]++;
    return counts;
  }

  recordOf(id: DestinationId): HealthRecord | undefined {
    return this.known.get(id)?.record;
  }

  idsOf(instance: string): readonly DestinationId[] {
    return this.ofInstances.of(instance);
  }

  /** It is well, or there is none any more: a person, or its new address, says so. */
  async resume(id: DestinationId, reason: ResumeReason): Promise<void> {
    const reply = await this.parts.store.call('relayWell', destinationKey(id), 1);
    const [ended, ms = 0, , waiting = 0] = reply as [number, number?, string?, number?];
    if (ended === 1 && reason === 'changed') this.report(id, ms, waiting);
  }

  /** It fails, and leads elsewhere now: that is tried at once. */
  async moved(id: DestinationId, endpoint: Endpoint): Promise<void> {
    await this.tellMoved(id, endpoint);
  }

  /** Where it sends now: an attempt that finds out whether the address before is well is not waited for. */
  sendsTo(id: DestinationId, endpoint: Endpoint): void {
    this.parts.circuitOf(id)?.moved(endpoint);
  }

  adopt(id: DestinationId, circuit: Circuit): void {
    const known = this.known.get(id);
    if (known !== undefined)
      circuit.adopt(obstacleOf(known.record), Math.max(0, known.until - monotonicMs()));
  }

  of(id: DestinationId): SharedCircuit {
    return {
      opened: (fault) => this.write(id, () => this.writeUnwell(id, fault)),
      closed: () => this.write(id, () => this.writeWell(id)),
      claim: () => void this.claims.claim(id),
      probing: (mostMs) => void this.claims.extend(id, mostMs),
    };
  }

  /** Reads what changed; what could not be written before is written first. */
  async poll(): Promise<void> {
    const { store, onError } = this.parts;
    if (!store.isReady) return;
    try {
      for (const [id, write] of [...this.unwritten]) {
        this.unwritten.delete(id);
        this.write(id, write);
      }
      const since = this.version;
      const reply = await store.call('relayHealthSince', since);
      const [version, isAll, ...changes] = reply as [number, number, ...(string | number)[]];
      // Meanwhile something may have to be read again.
      if (this.version === since) this.version = version;
      this.take(changes, isAll === 1, since);
    } catch (error) {
      onError(error);
    }
  }

  private take(changes: readonly (string | number)[], isAll: boolean, since: number): void {
    this.parts.rejections.take(changes, isAll);
    const seen = new Set<DestinationId>();
    for (let index = 0; index + 3 < changes.length; index += 4) {
      const key = String(changes[index]);
      const record = parseHealthRecord(String(changes[index + 1]));
      const id = record?.id ?? this.ids.get(key);
      if (id === undefined) continue;
      seen.add(id);
      // What this worker found later is on its way. It may change nothing, as where a person suspended the destination.
      if (this.isChanging(id)) this.leftOut.set(id, Math.min(since, this.leftOut.get(id) ?? since));
      else this.set(id, record, Number(changes[index + 2]));
    }
    if (!isAll) return;
    for (const id of [...this.ids.values()])
      if (!seen.has(id) && !this.isChanging(id)) this.set(id, undefined, 0);
    this.parts.onRead();
  }

  /** Whether Redis knows what this worker found out, once what is on its way is there. */
  private async isTold(id: DestinationId): Promise<boolean> {
    await this.writing.get(id);
    return !this.unwritten.has(id);
  }

  private isChanging(id: DestinationId): boolean {
    return this.writing.has(id) || this.unwritten.has(id);
  }

  private set(id: DestinationId, record: HealthRecord | undefined, leftMs: number): void {
    const key = destinationKey(id);
    if (record === undefined) {
      this.known.delete(id);
      this.ofInstances.delete(id);
      this.ids.delete(key);
      this.parts.circuitOf(id)?.close();
      return;
    }
    const isNew = !this.known.has(id);
    this.known.set(id, { record, until: monotonicMs() + leftMs });
    this.ofInstances.add(id);
    this.ids.set(key, id);
    this.parts.circuitOf(id)?.adopt(obstacleOf(record), leftMs);
    if (isNew) this.parts.onUnwell(id);
  }

  private write(id: DestinationId, change: () => Promise<void>): void {
    const before = this.writing.get(id) ?? Promise.resolve();
    const writing = before
      .then(change)
      .catch((error: unknown) => {
        this.unwritten.set(id, change);
        this.parts.onError(error);
      })
      .finally(() => {
        if (this.writing.get(id) !== writing) return;
        this.writing.delete(id);
        if (!this.unwritten.has(id)) this.readLeftOut(id);
      });
    this.writing.set(id, writing);
  }

  private readLeftOut(id: DestinationId): void {
    this.version = Math.min(this.version, this.leftOut.get(id) ?? this.version);
    this.leftOut.delete(id);
  }

  private async writeUnwell(id: DestinationId, fault: CircuitFault): Promise<void> {
    const { store, openMs, suspendAfterMs, endpointOf, observer, circuitOf } = this.parts;
    // It was closed again before this could be written.
    if (circuitOf(id)?.isOpen === false) return;
    const endpoint = await endpointOf(id).catch(() => undefined);
    if (endpoint !== undefined && isElsewhere(endpoint, fault.print))
      return this.failedElsewhere(id, endpoint);
    const { shown = '', print = '' } = endpoint ?? {};
    const { code, status, gone, failingMs } = fault;
    this.ids.set(destinationKey(id), id);
    const times = [openMs, Math.round(failingMs), suspendAfterMs];
    const reply = await store.call(
      'relayUnwell',
      ...[destinationKey(id), id, ...times, code, status, gone ? 1 : 0, shown, print],
    );
    const [state, leftMs, before, waiting] = reply as [string, number, string, number];
    circuitOf(id)?.adopt(state === 'suspended' ? 'suspended' : 'circuit-open', leftMs);
    if (state === before) return;
    const change = { destination: id, address: shown, waiting };
    if (state === 'suspended') observer.suspended(change, fault);
    else observer.failing(change, fault);
  }

  /** What failed is the address before, which says nothing of the one that it has now. */
  private async failedElsewhere(id: DestinationId, endpoint: Endpoint): Promise<void> {
    const [state, leftMs] = await this.tellMoved(id, endpoint);
    const circuit = this.parts.circuitOf(id);
    if (state === '') circuit?.close();
    else circuit?.adopt(state === 'suspended' ? 'suspended' : 'circuit-open', leftMs);
  }

  private async tellMoved(id: DestinationId, { shown, print }: Endpoint): Promise<[string, number]> {
    const reply = await this.parts.store.call('relayMoved', destinationKey(id), shown, print);
    return reply as [state: string, leftMs: number];
  }

  private async writeWell(id: DestinationId): Promise<void> {
    const { store, circuitOf } = this.parts;
    if (circuitOf(id)?.isOpen === true) return;
    const reply = await store.call('relayWell', destinationKey(id), 0);
    const [ended, ms = 0, , waiting = 0] = reply as [number, number?, string?, number?];
    if (ended === 1) this.report(id, ms, waiting);
    // A person suspended it meanwhile.
    else if (ms > 0) circuitOf(id)?.adopt('suspended', ms);
  }

  private report(id: DestinationId, ms: number, waiting: number): void {
    const address = this.known.get(id)?.record.address ?? '';
    this.parts.observer.recovered({ destination: id, address, waiting }, ms);
  }
}
