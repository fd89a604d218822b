import { errorCode, RelayError } from '../errors';
import { parseStoredEnvelope } from '../events/envelope';
import type { Bulkhead } from '../pipeline/bulkhead';
import {
  type AttemptRecord,
  type Delivery,
  type DeliveryId,
  type Destination,
  type DestinationId,
  eventIdOf,
} from '../pipeline/delivery';
import { type DeadReason, type Decide, slowDelayMs } from '../pipeline/parking';
import { monotonicMs } from '../time/monotonic';
import { OpenWork } from '../time/open-work';
import { within } from '../time/within';
import type { AddressRoster } from './address-roster';
import { bodyOf, type DeliveryLabels, type JobData, labelsOf, NO_LABELS, originOf } from './job';
import { SPARE_MS } from './line-rooms';
import { INTERRUPTED_DELAY_MS } from './policy';
import type { DueDelivery, OddRecord } from './retry-queue';
import { RetryRoom, type RetryRoomParts } from './retry-room';
import type { StepResult, StoredDeliveries } from './stored-deliveries';
import { UnreadableInstances } from './unreadable-instances';

/** Learns what happened, after it did. */
export interface RetryObserver {
  deadLettered(id: DeliveryId, labels: DeliveryLabels, reason: DeadReason): void;
  /** Its record is not there any more, or is none: the delivery is lost, and the audit shows it. */
  recordMissing(id: string): void;
  /** Reported once, until they can be read again. */
  settingsUnreadable(instance: string, error: unknown): void;
}

export interface RetryHandlerParts extends RetryRoomParts {
  readonly deliveries: StoredDeliveries;
  readonly bulkheadOf: (destination: Destination) => Bulkhead;
  /**
   * Undefined where there is none any more; rejects where that cannot be known.
   *
   * @param instance of the event
   */
  readonly destinationOf: (id: DestinationId, instance?: string) => Promise<Destination | undefined>;
  /** Whose retries are left to other workers. */
  readonly addresses?: Pick<AddressRoster, 'leaveFor'>;
  readonly decide: Decide;
  readonly observer: RetryObserver;
  readonly onError: (error: unknown) => void;
}

/** What is to happen with a delivery that is due. */
type Next =
  | { readonly kind: 'attempt'; readonly destination: Destination; readonly bulkhead: Bulkhead }
  | { readonly kind: 'give-up'; readonly reason: DeadReason }
  | { readonly kind: 'postpone'; readonly delay: number | 'in-line' };

/** Settings that take longer are no reason to hold a place. */
const SETTINGS_MS = 5_000;
/** A record of a later version waits this long for a worker that reads it. */
const NEWER_RECORD_MS = 300_000;

/** The settings of a destination's instance are still being read. */
class SettingsLateError extends RelayError {
  constructor() {
    super('SETTINGS_LATE', 'the settings of an instance take long to read');
  }
}

/** Decides what happens to one delivery that is due, and makes its attempt. */
export class RetryHandler {
  private readonly unreadable: UnreadableInstances;
  private readonly room: RetryRoom;
  /** Slow attempts that go on after their deliveries were put back. */
  private readonly late = new OpenWork();

  constructor(private readonly parts: RetryHandlerParts) {
    this.room = new RetryRoom(parts);
    this.unreadable = new UnreadableInstances((instance, error) =>
      parts.observer.settingsUnreadable(instance, error),
    );
  }

  /** Resolves when no slow attempt goes on, and their outcomes are stored. */
  idle(): Promise<void> {
    return this.late.idle();
  }

  /** From now on nothing is begun; what is handed over goes back. */
  drain(): void {
    this.room.close();
  }

  /** One record that nobody can read stops no other one: it becomes a dead letter, for a person to look at. */
  async setAside(record: OddRecord): Promise<void> {
    if (record.problem === 'newer') await this.parts.deliveries.giveBack(record, NEWER_RECORD_MS);
    else this.report(record.id, NO_LABELS, await this.parts.deliveries.bury(record, 'unreadable'));
  }

  missing(id: string): void {
    this.parts.observer.recordMissing(id);
  }

  /** Called when there may be room again for what found none. */
  onRoom(listener: () => void): void {
    this.parts.attempts.room.listen(listener);
  }

  /** @param onBegin called when its attempt begins */
  async process(due: DueDelivery, onBegin: () => void = () => {}): Promise<void> {
    // Made by a slow request while Redis was away: the step that is on its way removes it, whichever worker holds it.
    if (this.parts.deliveries.wasMade(due.id)) return;
    const next = await this.next(due);
    switch (next.kind) {
      case 'attempt':
        return this.attempt(due, next.destination, next.bulkhead, onBegin);
      case 'give-up':
        return this.giveUp(due, next.reason);
      case 'postpone':
        await this.postpone(due, next.delay);
    }
  }

  private async next(due: DueDelivery): Promise<Next> {
    const { data, spent } = due;
    const found = await this.destinationOf(data);
    if (typeof found === 'number') return { kind: 'postpone', delay: found };
    const leftMs = this.parts.addresses?.leaveFor(due, found?.address) ?? 0;
    if (leftMs > 0) return { kind: 'postpone', delay: leftMs };
    if (found === undefined) return { kind: 'give-up', reason: 'destination-removed' };
    if (spent >= found.maxAttempts) return { kind: 'give-up', reason: 'attempts-exhausted' };
    const bulkhead = this.parts.bulkheadOf(found);
    return !this.room.isClosed && bulkhead.circuit.closedIn() === 0
      ? { kind: 'attempt', destination: found, bulkhead }
      : { kind: 'postpone', delay: 'in-line' };
  }

  /** How long to wait, where that cannot be known now: settings that cannot be read are no fault of the delivery. */
  private async destinationOf({ d, i }: JobData): Promise<Destination | undefined | number> {
    const pausedMs = this.unreadable.pausedFor(i);
    if (pausedMs > 0) return pausedMs;
    try {
      const found = this.parts.destinationOf(d as DestinationId, i);
      const destination = await within(found, SETTINGS_MS, () => new SettingsLateError());
      this.unreadable.readable(i);
      return destination;
    } catch (error) {
      if (errorCode(error) === 'SETTINGS_UNREADABLE') return this.unreadable.failed(i, error);
      this.parts.onError(error);
      return INTERRUPTED_DELAY_MS;
    }
  }

  private async attempt(
    due: DueDelivery,
    destination: Destination,
    bulkhead: Bulkhead,
    onBegin: () => void,
  ): Promise<void> {
    const { attempts } = this.parts;
    const giveMemoryBack = await this.room.keepMemory(destination, bulkhead, due.data.l);
    // Its line knows by now how large it is (lines.ts), and asks for it again once there is memory.
    if (giveMemoryBack === undefined) return this.postpone(due, 'in-line');
    let delivery: Delivery | undefined;
    try {
      delivery = await this.deliveryOf(due, destination);
      // Here and not in a function of its own: between the end of its wait and its begin others would take the place.
      do {
        const until = monotonicMs() + SPARE_MS;
        while (this.room.waitsForTurn(bulkhead, until)) await attempts.nextEnd(SPARE_MS);
        // Others may have taken the place when the permit is there.
      } while (!this.room.isClosed && bulkhead.lacksPermit && (await bulkhead.permitForRetry()));
    } finally {
      giveMemoryBack();
    }
    if (delivery === undefined) return this.giveUp(due, 'unreadable');
    // Others may have taken the room meanwhile. From here to the attempt's begin there is no pause.
    if (!this.room.mayBegin(delivery, bulkhead)) return this.postpone(due, 'in-line');
    let onSlow = (): void => {};
    const turnedSlow = new Promise<'slow'>((resolve) => {
      onSlow = () => resolve('slow');
    });
    onBegin();
    const record = attempts.run({ kind: 'retry', delivery, attempt: due.spent + 1, bulkhead, onSlow });
    if (
      (await Promise.race([record, turnedSlow])) === 'slow' &&
      (await this.putBackSlow(due, delivery, record))
    )
      return;
    await this.conclude(due, delivery, await record);
  }

  /** Gives the place of a slow attempt to another delivery: as with direct attempts, the request goes on. */
  private async putBackSlow(
    due: DueDelivery,
    delivery: Delivery,
    record: Promise<AttemptRecord>,
  ): Promise<boolean> {
    const result = await this.parts.deliveries.giveBackSlow(due, slowDelayMs(delivery));
    // Where the answer was lost the step was made all the same: `relayLate` sees whether the delivery lies there untouched.
    if (result.kind !== 'parked' && result.kind !== 'unanswered') return false;
    this.late.begin();
    void record
      .then((ended) => this.concludeLate(due, delivery, ended))
      .catch(this.parts.onError)
      .finally(() => this.late.end());
    return true;
  }

  /** An outcome that decides nothing leaves the decision to the job, when it is due. */
  private async concludeLate(due: DueDelivery, delivery: Delivery, record: AttemptRecord): Promise<void> {
    const { deliveries, decide } = this.parts;
    const { kind } = record.outcome;
    if (kind === 'interrupted') return;
    if (kind === 'delivered' || kind === 'discarded') {
      await deliveries.settle(due.id, kind);
      return;
    }
    const decision = decide(delivery, record);
    const { id, timesTaken } = due;
    this.report(id, labelsOf(due.data), await deliveries.failedLate({ id, decision, record, timesTaken }));
  }

  private async deliveryOf(
    { id, data, laneGap }: DueDelivery,
    destination: Destination,
  ): Promise<Delivery | undefined> {
    try {
      const known = parseStoredEnvelope(await bodyOf(data), originOf(data), eventIdOf(id));
      const envelope = typeof data.t === 'string' ? { ...known, traceparent: data.t } : known;
      const delivery = { id, envelope, destination };
      return laneGap === undefined ? delivery : { ...delivery, laneGap };
    } catch (error) {
      this.parts.onError(error);
      return undefined;
    }
  }

  private async conclude(due: DueDelivery, delivery: Delivery, record: AttemptRecord): Promise<void> {
    const { outcome } = record;
    const { deliveries, decide } = this.parts;
    if (outcome.kind === 'delivered' || outcome.kind === 'discarded') {
      await deliveries.settle(due.id, outcome.kind);
      return;
    }
    const decision = decide(delivery, record);
    if (decision.kind === 'give-up') await this.giveUp(due, decision.reason, record);
    else if (outcome.kind === 'interrupted') await this.postpone(due, decision.delayMs);
    else await deliveries.giveBack(due, decision.delayMs, record);
  }

  /** Puts the delivery back without spending an attempt; another worker may have it at once where this one drains. */
  private async postpone(due: DueDelivery, delay: number | 'in-line'): Promise<void> {
    await this.parts.deliveries.giveBack(due, this.room.isClosed ? 0 : delay);
  }

  private async giveUp(due: DueDelivery, reason: DeadReason, record?: AttemptRecord): Promise<void> {
    this.report(due.id, labelsOf(due.data), await this.parts.deliveries.bury(due, reason, record));
  }

  private report(id: DeliveryId, labels: DeliveryLabels, result: StepResult): void {
    if (result.kind === 'dead') this.parts.observer.deadLettered(id, labels, result.reason);
  }
}
