import type { DeadLetterFilter, DeadLetters } from '../dead-letters/dead-letters';
import type { DeliveredCopy, DeliveryLog } from '../delivery-log/delivery-log';
import type { LogFilter } from '../delivery-log/log-filter';
import { NO_PROGRESS, type Progress, type ReplaySpec } from './replay-store';

/** What is done with a few items at a time; its counts are what the batch adds. */
export interface Batch {
  /** Delivers them again. Undefined where the destination has as much waiting as it should: try again later. */
  replay(): Promise<Omit<Progress, 'cursor'> | undefined>;
  /** What `replay` would do; changes nothing. */
  preview(): Promise<Omit<Progress, 'cursor'>>;
  /** The cursor behind this batch. */
  readonly cursor: string;
}

export interface ReplayItemsParts {
  readonly deadLetters: DeadLetters;
  readonly log: DeliveryLog;
  readonly copies: ReplayCopies;
}

/** Delivers again what was delivered (delivery-copies.ts). */
export interface ReplayCopies {
  park(copies: readonly DeliveredCopy[]): Promise<number | undefined>;
}

/** Everything that a replay goes through, oldest first, a few items at a time, behind `cursor`. */
export function batchesOf(
  parts: ReplayItemsParts,
  spec: ReplaySpec,
  begun: number,
  cursor: string,
): AsyncIterable<Batch> {
  const size = Math.max(1, Math.min(MOST_AT_ONCE, spec.perSecond));
  const range = { until: begun, cursor, size };
  switch (spec.what) {
    case 'dead-letters':
      return deadLetterBatches(parts.deadLetters, { ...spec.filter }, range);
    case 'dead-letters-removed':
      return removalBatches(parts.deadLetters, { ...spec.filter }, range);
    case 'deliveries':
      return deliveryBatches(parts, { ...spec.filter } as LogFilter, range);
  }
}

const MOST_AT_ONCE = 100;

interface Range {
  /** When the replay began: what died again since is not replayed for ever. */
  readonly until: number;
  readonly cursor: string;
  readonly size: number;
}

async function* deadLetterBatches(
  deadLetters: DeadLetters,
  filter: DeadLetterFilter,
  { until, cursor, size }: Range,
): AsyncGenerator<Batch> {
  for await (const page of deadLetters.pages({ filter, until, cursor, size })) {
    const ids = page.letters.filter(({ reason }) => reason !== 'malformed').map(({ id }) => id);
    yield {
      cursor: page.cursor,
      replay: async () => {
        const results = await Promise.all(ids.map((id) => deadLetters.replay(id)));
        const replayed = results.filter((result) => result === 'replayed').length;
        return { ...NO_PROGRESS, seen: page.seen, replayed, needless: ids.length - replayed };
      },
      preview: async () => ({ ...NO_PROGRESS, seen: page.seen, replayed: ids.length }),
    };
  }
}

async function* removalBatches(
  deadLetters: DeadLetters,
  filter: DeadLetterFilter,
  { until, cursor, size }: Range,
): AsyncGenerator<Batch> {
  for await (const page of deadLetters.pages({ filter, until, cursor, size })) {
    const ids = page.letters.map(({ id }) => id);
    yield {
      cursor: page.cursor,
      replay: async () => {
        const results = await Promise.all(ids.map((id) => deadLetters.remove(id)));
        const replayed = results.filter(Boolean).length;
        return { ...NO_PROGRESS, seen: page.seen, replayed, needless: ids.length - replayed };
      },
      preview: async () => ({ ...NO_PROGRESS, seen: page.seen, replayed: ids.length }),
    };
  }
}

async function* deliveryBatches(
  { log, deadLetters, copies }: ReplayItemsParts,
  filter: LogFilter,
  range: Range,
): AsyncGenerator<Batch> {
  for await (const { cursor, delivered, others } of log.replayable(filter, range)) {
    const seen = delivered.length + others.length;
    yield {
      cursor,
      preview: async () => {
        const dead = await log.dead(others);
        const replayed = delivered.filter(({ hasBody }) => hasBody).length;
        return {
          seen,
          replayed: replayed + dead.length,
          withoutBody: delivered.length - replayed,
          needless: others.length - dead.length,
        };
      },
      replay: async () => {
        const found = await log.copiesOf(delivered);
        const parked = await copies.park(found);
        if (parked === undefined) return undefined;
        const results = await Promise.all((await log.dead(others)).map((id) => deadLetters.replay(id)));
        const dead = results.filter((result) => result === 'replayed').length;
        return {
          seen,
          replayed: parked + dead,
          withoutBody: delivered.length - found.length,
          needless: found.length - parked + others.length - dead,
        };
      },
    };
  }
}
