import type { AttemptObserver } from '../pipeline/attempts';
import {
  type AttemptRecord,
  type Delivery,
  type Destination,
  type DestinationId,
  destinationKey,
  type Endpoint,
  isElsewhere,
} from '../pipeline/delivery';
import type { StoredCalls } from '../retry/retry-store';
import { monotonicMs } from '../time/monotonic';
import { parseRejectionRecord, type RejectionRecord } from './health-record';
import { IdsByInstance } from './ids-by-instance';
import { isRejecting, type Rejection, type RejectionRun, rejectionOf, runAfter } from './rejection-run';

/** A destination that began to reject everything, or no longer does, for logs. */
export interface RejectionChange {
  readonly destination: DestinationId;
  /** As it may be shown; empty where there is none. */
  readonly address: string;
}

export type RejectingEnd = 'delivered' | 'changed' | 'removed';

/** Learns what this worker found out first. */
export interface RejectionObserver {
  rejecting(change: RejectionChange, rejection: Rejection): void;
  rejectingOver(change: RejectionChange, end: Exclude<RejectingEnd, 'removed'>, rejectedMs: number): void;
}

export interface RejectionsParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  /** Where it sends now; undefined where there is no such destination any more. Rejects where that cannot be known. */
  readonly endpointOf: (id: DestinationId) => Promise<Endpoint | undefined>;
  readonly observer: RejectionObserver;
  readonly onError: (error: unknown) => void;
  /** By a clock that nobody sets. */
  readonly now?: () => number;
}

/** On its way to Redis. */
interface Change {
  readonly done: Promise<void>;
  /** A delivery was taken meanwhile. */
  isDelivered: boolean;
}

/** Destinations whose rejections are counted at the same time: of more of them those go that rejected something longest ago. */
const MOST_RUNS = 10_000;

/**
 * What all workers know together of destinations that answer and reject everything, as a workflow that is switched off does. Each
 * worker counts what it sees, and the first that has seen enough writes a record; the first delivery that any of them makes
 * ends it. The board of health reads the records (`take`). It is said to people alone: attempts are made as ever.
 */
export class Rejections implements AttemptObserver {
  /** Those that rejected something last come last. */
  private readonly runs = new Map<DestinationId, RejectionRun>();
  private readonly known = new Map<DestinationId, RejectionRecord>();
  private readonly ofInstances = new IdsByInstance();
  /** Of what is known, by key. */
  private readonly ids = new Map<string, DestinationId>();
  private readonly changing = new Map<DestinationId, Change>();
  /** Known ones that took a delivery, which could not be written. */
  private readonly unended = new Set<DestinationId>();
  private readonly now: () => number;

  constructor(private readonly parts: RejectionsParts) {
    this.now = parts.now ?? monotonicMs;
  }

  get records(): RejectionRecord[] {
    return [...this.known.values()];
  }

  recordOf(id: DestinationId): RejectionRecord | undefined {
    return this.known.get(id);
  }

  idsOf(instance: string): readonly DestinationId[] {
    return this.ofInstances.of(instance);
  }

  /** Called for every attempt: while no destination rejects anything it looks up nothing. */
  attemptEnded({ destination }: Delivery, { outcome }: AttemptRecord): void {
    if (outcome.kind === 'delivered') {
      if (this.runs.size > 0 || this.known.size > 0 || this.changing.size > 0) this.delivered(destination.id);
      return;
    }
    const rejection = rejectionOf(outcome);
    if (rejection !== undefined) this.rejected(destination, rejection);
  }

  /** What changed, or all there is, in the form of `relayHealthSince`. */
  take(changes: readonly (string | number)[], isAll: boolean): void {
    const seen = new Set<DestinationId>();
    for (let index = 0; index + 3 < changes.length; index += 4) {
      const record = parseRejectionRecord(String(changes[index + 3]));
      const id = record?.id ?? this.ids.get(String(changes[index]));
      if (id === undefined) continue;
      if (record === undefined) this.forget(id);
      else this.know(record);
      seen.add(id);
    }
    if (isAll) for (const id of [...this.known.keys()]) if (!seen.has(id)) this.forget(id);
    for (const id of [...this.unended]) this.delivered(id);
  }

  /** It is another one, or none any more, where it has another address. */
  async compare(id: DestinationId, endpoint: Endpoint | undefined): Promise<void> {
    const record = this.known.get(id);
    if (record === undefined) return;
    if (endpoint === undefined) await this.writeOver(id, 'removed');
    else if (isElsewhere(endpoint, record.print)) await this.writeOver(id, 'changed');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.changing.values()].map(({ done }) => done));
  }

  private delivered(id: DestinationId): void {
    this.runs.delete(id);
    const change = this.changing.get(id);
    if (change !== undefined) change.isDelivered = true;
    else if (this.known.has(id)) this.end(id);
  }

  private rejected(destination: Destination, rejection: Rejection): void {
    const { id } = destination;
    const known = this.known.get(id);
    // Another answer than the one that is known has to come as often to be shown.
    if (known?.code === rejection.code && known.status === rejection.status) this.runs.delete(id);
    else if (!this.changing.has(id)) this.count(destination, rejection);
  }

  private count(destination: Destination, rejection: Rejection): void {
    const { id } = destination;
    const now = this.now();
    const run = runAfter(this.runs.get(id), () => destination.endpoint?.().print ?? '', now);
    this.keep(id, run);
    if (!isRejecting(run, now) || !this.parts.store.isReady) return;
    this.runs.delete(id);
    this.change(id, () => this.writeRejecting(id, run, rejection));
  }

  private keep(id: DestinationId, run: RejectionRun): void {
    this.runs.delete(id);
    const [oldest] = this.runs.size < MOST_RUNS ? [] : this.runs.keys();
    if (oldest !== undefined) this.runs.delete(oldest);
    this.runs.set(id, run);
  }

  private end(id: DestinationId): void {
    this.unended.add(id);
    if (this.parts.store.isReady) this.change(id, () => this.writeOver(id, 'delivered'));
  }

  private change(id: DestinationId, write: () => Promise<void>): void {
    const done = write()
      .catch(this.parts.onError)
      .finally(() => {
        this.changing.delete(id);
        if (change.isDelivered && this.known.has(id)) this.end(id);
      });
    const change: Change = { done, isDelivered: false };
    this.changing.set(id, change);
  }

  private async writeRejecting(id: DestinationId, run: RejectionRun, rejection: Rejection): Promise<void> {
    const { store, endpointOf, observer } = this.parts;
    const { shown = '', print = '' } = (await endpointOf(id).catch(() => undefined)) ?? {};
    // It has another address by now, or that cannot be known: it is counted anew.
    if (print !== run.print) return;
    const { code, status } = rejection;
    const reply = await store.call(
      'relayRejecting',
      ...[destinationKey(id), id, Math.round(this.now() - run.firstMs), code, status, shown, print],
    );
    const [isNew, text] = reply as [number, string];
    const record = parseRejectionRecord(text);
    if (record !== undefined) this.know(record);
    if (isNew === 1) observer.rejecting({ destination: id, address: shown }, rejection);
  }

  private async writeOver(id: DestinationId, end: RejectingEnd): Promise<void> {
    const { store, observer } = this.parts;
    const address = this.known.get(id)?.address ?? '';
    const reply = await store.call('relayRejectingOver', destinationKey(id));
    const [isOver, ms = 0] = reply as [number, number?];
    this.forget(id);
    if (isOver === 1 && end !== 'removed') observer.rejectingOver({ destination: id, address }, end, ms);
  }

  private know(record: RejectionRecord): void {
    this.known.set(record.id, record);
    this.ofInstances.add(record.id);
    this.ids.set(destinationKey(record.id), record.id);
  }

  private forget(id: DestinationId): void {
    this.known.delete(id);
    this.ofInstances.delete(id);
    this.ids.delete(destinationKey(id));
    this.unended.delete(id);
    // Another worker may have ended it: what this one counted was no rejection of everything.
    this.runs.delete(id);
  }
}
