import type { DeliveredCopy } from '../delivery-log/delivery-log';
import { COMPRESSION } from '../events/compression';
import type { JobData } from '../retry/job';
import type { StoredCalls } from '../retry/retry-store';
import type { Shares } from '../retry/shares';
import { parkArguments } from '../retry/stored-deliveries';
import type { ReplayCopies } from './replay-items';

export interface DeliveryCopiesParts {
  readonly store: Pick<StoredCalls, 'call'>;
  readonly shares: Shares;
}

/** Copies wait for a destination up to this many: however many are replayed, Redis holds a few thousand of them. */
const MOST_WAITING = 5000;
const HEAD = 5;

/** Parks copies of what was delivered: they keep their ids, and are counted by the audit as accepted once more. */
export class DeliveryCopies implements ReplayCopies {
  constructor(private readonly parts: DeliveryCopiesParts) {}

  /** How many were parked; undefined where a destination has as much waiting as it should. */
  async park(copies: readonly DeliveredCopy[]): Promise<number | undefined> {
    if (copies.length === 0) return 0;
    const { store, shares } = this.parts;
    const owners = new Set(
      copies.map(({ destination, instance }) => shares.of(destination, instance).parkedBy),
    );
    const waiting = (await store.call('relayParkedCounts', ...owners)) as (string | number)[];
    if (waiting.some((count) => Number(count) >= MOST_WAITING)) return undefined;
    const words = await Promise.all(copies.map((copy) => this.parkOne(copy)));
    return words.filter((word) => word === 'parked').length;
  }

  private async parkOne(copy: DeliveredCopy): Promise<unknown> {
    const { id, destination, instance, event, body } = copy;
    const data: JobData = {
      v: COMPRESSION,
      d: destination,
      e: event,
      i: instance,
      b: body.subarray(HEAD).toString('base64'),
      l: body.readUInt32LE(1),
      n: 0,
    };
    const decision = { kind: 'retry', delayMs: 0 } as const;
    const charge = this.parts.shares.of(destination, instance);
    return this.parts.store.call('relayPark', ...parkArguments({ id, data, decision, charge }));
  }
}
