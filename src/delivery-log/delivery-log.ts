import { COMPRESSION, decompress } from '../events/compression';
import type { DestinationId } from '../pipeline/delivery';
import { fingerprint } from './fingerprint';
import type { LogFilter, LoggedOutcome } from './log-filter';
import { endOf, type LogRecord } from './log-record';
import { type Found, outcomeOf, recordsOf, scan } from './log-scan';
import type { Coverage, LogStore } from './log-store';
import { type LogRange, type ReplayPage, replayable } from './replayable';
import type { StoredStates } from './stored-states';

/** A delivery as the log knows it. */
export interface LoggedDelivery {
  /** Also its `webhook-id`. */
  readonly id: string;
  /** Empty where no destination wanted the event. */
  readonly destination: DestinationId;
  readonly instance: string;
  readonly event: string;
  readonly message: string;
  readonly chat: string;
  readonly outcome: LoggedOutcome;
  /** Why it waits, was given up on or was discarded. */
  readonly reason: string;
  /** When the last thing happened to it, epoch milliseconds. */
  readonly at: number;
  /** Of the event's body. */
  readonly bytes: number;
  /** In the order in which they happened. */
  readonly records: readonly LogRecord[];
  /** Where its body lies in the log. */
  readonly bodyIn: string | undefined;
}

export interface SearchResult {
  readonly deliveries: readonly LoggedDelivery[];
  /** There are more. */
  readonly more: boolean;
  readonly coverage: Coverage;
}

export interface DeliveryLogParts {
  readonly store: Pick<LogStore, 'chunks' | 'holding' | 'fields' | 'coverage'>;
  /** What is stored now: the log knows only what happened. */
  readonly states: StoredStates;
}

/** A delivered delivery, and its body as the log keeps it. */
export interface DeliveredCopy {
  readonly id: string;
  readonly destination: DestinationId;
  readonly instance: string;
  readonly event: string;
  readonly body: Buffer;
}

/** Deliveries whose stories are looked for at once, at most. */
const MOST_AT_ONCE = 512;
/** Two workers' clocks, and the milliseconds that an attempt's length is rounded by. */
const SAME_TIME_MS = 100;

/** Answers "where is my message?". */
export class DeliveryLog {
  constructor(private readonly parts: DeliveryLogParts) {}

  /** Deliveries that match, by what happened to them last, the newest first. */
  async search(filter: LogFilter, limit: number): Promise<SearchResult> {
    const { store } = this.parts;
    const coverage = await store.coverage(filter.since ?? 0, filter.until ?? Date.now());
    const deliveries: LoggedDelivery[] = [];
    const seen = new Set<string>();
    let page: Found[] = [];
    let size = limit + 1;
    for await (const found of scan(store, filter)) {
      if (seen.has(found.record.id)) continue;
      seen.add(found.record.id);
      page.push(found);
      if (page.length < size) continue;
      deliveries.push(...(await this.wanted(page, filter)));
      page = [];
      if (deliveries.length > limit) break;
      // Each page goes through the whole log: where many are not what they were logged as, pages must not stay small.
      size = Math.max(size, Math.min(MOST_AT_ONCE, 2 * size));
    }
    if (page.length > 0) deliveries.push(...(await this.wanted(page, filter)));
    return { deliveries: deliveries.slice(0, limit), more: deliveries.length > limit, coverage };
  }

  /** The newest records that match, without the stories that they belong to. */
  async recent(filter: LogFilter, limit: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for await (const { record } of scan(this.parts.store, filter)) {
      records.push(record);
      if (records.length >= limit) break;
    }
    return records;
  }

  /** The whole story of one delivery; undefined where the log knows nothing of it. */
  async find(id: string): Promise<LoggedDelivery | undefined> {
    const [delivery] = await this.withStates(await this.stories([id]));
    return delivery;
  }

  /** The body of a delivered one where it is kept, of another one as it is stored. */
  async body({ id, bodyIn }: LoggedDelivery): Promise<Buffer | undefined> {
    if (bodyIn === undefined) return this.parts.states.body(id);
    const [fields] = await this.parts.store.fields([bodyIn], [`body:${eventOf(id)}`]);
    return bodyFrom(fields?.[0]);
  }

  /** What can be delivered again, oldest first. */
  replayable(filter: LogFilter, range: LogRange): AsyncIterable<ReplayPage> {
    return replayable(this.parts.store, filter, range);
  }

  /** Those that are dead letters now. */
  async dead(ids: readonly string[]): Promise<string[]> {
    const states = await this.parts.states.of(ids);
    return ids.filter((id) => states.get(id)?.kind === 'dead');
  }

  /** Delivered ones whose bodies are kept, with these. */
  async copiesOf(delivered: readonly Found[]): Promise<DeliveredCopy[]> {
    const copies: DeliveredCopy[] = [];
    for (const chunk of new Set(delivered.map((found) => found.chunk))) {
      const kept = delivered.filter((found) => found.chunk === chunk && found.hasBody);
      if (kept.length === 0) continue;
      const names = kept.map(({ record }) => `body:${eventOf(record.id)}` as const);
      const [bodies = []] = await this.parts.store.fields([chunk], names);
      for (const [index, { record }] of kept.entries()) {
        const { id, destination, instance, event } = record;
        const body = bodies[index];
        if (body?.[0] === COMPRESSION)
          copies.push({ id, destination: destination as DestinationId, instance, event, body });
      }
    }
    return copies;
  }

  /** What matches is one record of a delivery: what became of it is known by all of them. */
  private async wanted(page: readonly Found[], { outcome }: LogFilter): Promise<LoggedDelivery[]> {
    const [whole, partial] = [page.filter(isWhole), page.filter((found) => !isWhole(found))];
    const stories = await this.stories(partial.map(({ record }) => record.id));
    const all = new Map(
      [...whole.map((found) => deliveryOf([found])), ...stories].map((each) => [each.id, each]),
    );
    const ordered = page.flatMap(({ record }) => all.get(record.id) ?? []);
    const known = await this.withStates(ordered);
    return known.filter((delivery) => outcome === undefined || delivery.outcome === outcome);
  }

  private async stories(ids: readonly string[]): Promise<LoggedDelivery[]> {
    if (ids.length === 0) return [];
    const byId = new Map<string, Found[]>();
    for (const found of await recordsOf(
      this.parts.store,
      new Set(ids),
      new Set(ids.map((id) => fingerprint(id))),
    )) {
      const { id } = found.record;
      byId.set(id, [...(byId.get(id) ?? []), found]);
    }
    return [...byId.values()].map(deliveryOf);
  }

  /** Whether those that the log left waiting still wait: what expired, or was replayed, is not logged one by one. */
  private async withStates(deliveries: readonly LoggedDelivery[]): Promise<LoggedDelivery[]> {
    const open = deliveries.filter(({ outcome }) => outcome === 'parked' || outcome === 'dead');
    const states = await this.parts.states.of(open.map(({ id }) => id));
    return deliveries.map((delivery) => {
      const state = states.get(delivery.id);
      if (state === undefined) return delivery;
      if (state.kind === 'none') return delivery.outcome === 'dead' ? delivery : endedOf(delivery);
      if (state.kind === 'dead') return { ...delivery, outcome: 'dead', reason: state.reason };
      return {
        ...delivery,
        outcome: 'parked',
        reason: delivery.outcome === 'dead' ? 'replayed' : delivery.reason,
      };
    });
  }
}

/** Whether one record is all that there is. */
function isWhole({ record, isFirst }: Found): boolean {
  return isFirst && (record.what === 'delivered' || record.what === 'discarded');
}

function deliveryOf(found: readonly Found[]): LoggedDelivery {
  const inOrder = [...found].sort((a, b) => endOf(a.record) - endOf(b.record));
  const records = inOrder.map(({ record }) => record);
  const decisive = decisiveOf(records);
  const last = lastOf(records);
  const named = records.find(({ message, chat }) => message !== '' || chat !== '') ?? last;
  const { id, destination, instance, event } = last;
  return {
    // As it was when it was written there.
    destination: destination as DestinationId,
    ...{ id, instance, event, message: named.message, chat: named.chat },
    outcome: outcomeOf(decisive.what),
    reason: decisive.code,
    at: endOf(last),
    bytes: Math.max(...records.map(({ bytes }) => bytes)),
    records,
    bodyIn: inOrder.findLast(({ hasBody }) => hasBody)?.chunk,
  };
}

/** The record that says what became of the delivery. */
function decisiveOf(records: readonly LogRecord[]): LogRecord {
  // That a delivery was stored while its attempt went on is said once it is: with a slow Redis the attempt may have ended before.
  const others = records.filter(({ what, code }) => what !== 'parked' || code !== 'slow');
  const last = lastOf(others.length > 0 ? others : records);
  // An end that lies within the same moment as the last attempt comes after it.
  const end = records.findLast(({ what }) => outcomeOf(what) !== 'parked');
  return end !== undefined && endOf(end) + SAME_TIME_MS >= endOf(last) ? end : last;
}

/** Of one that seems to wait and is stored no more: its end may be said to lie before, by another worker's clock. */
function endedOf(delivery: LoggedDelivery): LoggedDelivery {
  const end = delivery.records.findLast(({ what }) => what === 'delivered' || what === 'discarded');
  if (end === undefined) return { ...delivery, outcome: 'unknown' };
  return { ...delivery, outcome: outcomeOf(end.what), reason: end.code };
}

function lastOf(records: readonly LogRecord[]): LogRecord {
  return records.reduce((latest, each) => (endOf(each) >= endOf(latest) ? each : latest));
}

/** The event's part of a delivery's id: one body serves all deliveries of its event within a chunk. */
export function eventOf(id: string): string {
  return id.slice(4, 26);
}

const HEAD = 5;

/** Undefined where it is gone, or of a compression of another version. */
export async function bodyFrom(stored: Buffer | undefined): Promise<Buffer | undefined> {
  if (stored === undefined || stored.length <= HEAD) return undefined;
  return decompress(stored.subarray(HEAD).toString('base64')).catch(() => undefined);
}
