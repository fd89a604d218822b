import { OpenWork } from '../time/open-work';
import type { Attempts } from './attempts';
import type { Bulkhead } from './bulkhead';
import type { AttemptRecord, Delivery, Destination, DestinationId, ParkReason } from './delivery';
import type { Line, Submission } from './line';
import { type Decide, type Parking, type ParkRequest, slowDelayMs, type Ticket } from './parking';
import { WaitLimits, type WaitLimitsParts } from './wait-limits';
import { WaitingLines } from './waiting-lines';

/**
 * What became of a delivery while its source message is held: confirmed by the destination, needless, stored, not even
 * begun (drain), or impossible to store (drain while Redis is away).
 */
export type DirectResult = 'delivered' | 'discarded' | 'stored' | 'untouched' | 'unstored';

/** Takes the results of a message's deliveries, each once, by the delivery's place among them. */
export interface ResultSink {
  /** The broker took the message back: what is not begun yet is left to the copy. */
  readonly isLost?: boolean;
  /** As of the message. */
  readonly term?: object | undefined;
  resolve(index: number, result: DirectResult): void;
}

export interface DirectAttemptsParts extends WaitLimitsParts {
  readonly attempts: Attempts;
  readonly parking: Parking;
  readonly decide: Decide;
  readonly bulkheadOf: (destination: Destination) => Bulkhead;
  /** One that waited was discarded, as this one is newer. */
  readonly onSuperseded: (newer: Delivery) => void;
  /** A slow delivery's outcome could not be stored, which nobody awaits. */
  readonly onError: (error: unknown, delivery: Delivery) => void;
}

const SWEEP_MS = 50;
/** Destinations that are passed over, as their shares are used up, before the search for one that may begin ends. */
const MOST_PASSED_OVER = 64;

/** The direct attempt: made at once while the source still holds the message, or parked when it cannot be. */
export class DirectAttempts {
  private readonly lines: WaitingLines;
  private sweeper: NodeJS.Timeout | undefined;
  private draining = false;
  private readonly waitLimits: WaitLimits;
  /** Attempts of ours that are under way, or whose outcome is being stored. */
  private readonly open = new OpenWork();

  constructor(private readonly parts: DirectAttemptsParts) {
    this.waitLimits = new WaitLimits(parts);
    this.lines = new WaitingLines(parts.places);
    parts.attempts.room.listen((id) => this.startNext(id));
  }

  /** Takes a delivery; `sink` gets its result exactly once. */
  submit(delivery: Delivery, sink: ResultSink, index: number): void {
    if (this.draining) return sink.resolve(index, 'untouched');
    const { id } = delivery.destination;
    const bulkhead = this.parts.bulkheadOf(delivery.destination);
    if (bulkhead.circuit.closedIn() > 0)
      return this.parkWithoutAttempt(delivery, bulkhead.circuit.obstacle, sink, index);
    if (this.replaces({ delivery, sink, index })) return;
    const now = this.parts.attempts.clock.now();
    this.waitLimits.note(id);
    if (bulkhead.waiting === 0 && bulkhead.hasRoom && this.mayBegin(delivery)) {
      void this.attempt({ delivery, sink, index }, bulkhead);
    } else if (this.waitLimits.isSaturated(delivery, bulkhead, now, this.lines.get(id)?.first)) {
      this.parkWithoutAttempt(delivery, 'saturated', sink, index);
    } else this.enqueue({ delivery, sink, index }, bulkhead, now);
  }

  /** Whether it took the place of an older one that waits, and that it makes needless. */
  private replaces(newer: Submission): boolean {
    const older = this.lines.get(newer.delivery.destination.id)?.replace(newer);
    if (older === undefined) return false;
    this.parts.onSuperseded(newer.delivery);
    older.sink.resolve(older.index, 'discarded');
    return true;
  }

  isAlone(id: DestinationId): boolean {
    return this.waitLimits.isAlone(id);
  }

  /** When a fresh delivery came last, by the monotonic clock. */
  get lastAt(): number {
    return this.waitLimits.lastAt;
  }

  /** How long a delivery may wait for its turn while its message is held. */
  mostWaitMs({ destination }: Delivery): number {
    return this.waitLimits.maxWaitMs(destination.id, this.parts.bulkheadOf(destination));
  }

  /** Stores a delivery whose message has others that were already made, so that it cannot go back untouched. */
  parkWithoutAttempt(delivery: Delivery, reason: ParkReason, sink: ResultSink, index: number): void {
    const decision: ParkRequest['decision'] =
      reason === 'shutdown' ? { kind: 'retry', delayMs: 0 } : { kind: 'in-line' };
    this.store({ delivery, reason, attemptsMade: 0, history: [], decision }, sink, index);
  }

  /** Resolves when no attempt is under way, and the outcomes of slow ones are stored. */
  idle(): Promise<void> {
    return this.open.idle();
  }

  /** From now on nothing is begun; deliveries that wait go back untouched. */
  drain(): void {
    this.draining = true;
    for (const line of this.lines.all()) {
      for (let next = line.take(); next !== undefined; next = line.take())
        next.sink.resolve(next.index, 'untouched');
      this.lines.remove(line);
    }
    clearInterval(this.sweeper);
  }

  private mayBegin(delivery: Delivery): boolean {
    return this.parts.places.mayBegin(delivery, this.isAlone(delivery.destination.id));
  }

  private enqueue(submission: Submission, bulkhead: Bulkhead, now: number): void {
    this.lines.join(submission.delivery.destination.id, bulkhead).add(submission, now);
    this.sweeper ??= setInterval(() => {
      this.parkOverdue(this.parts.attempts.clock.now());
      this.startNext(undefined);
    }, SWEEP_MS);
  }

  private async attempt(submission: Submission, bulkhead: Bulkhead): Promise<void> {
    const { delivery } = submission;
    if (delivery.destination.limits?.coalesce !== undefined) this.parts.parking.begins?.(delivery);
    this.open.begin();
    let ticket: Ticket | undefined;
    const onSlow = (): void => {
      ticket = this.storeSlow(submission);
    };
    const record = await this.parts.attempts.run({ kind: 'direct', delivery, bulkhead, onSlow });
    if (ticket === undefined) this.finish(submission, record);
    else await this.finishSlow(delivery, record, ticket);
    this.open.end();
  }

  private finish({ delivery, sink, index }: Submission, record: AttemptRecord): void {
    const { outcome } = record;
    if (outcome.kind === 'delivered' || outcome.kind === 'discarded')
      return sink.resolve(index, outcome.kind);
    if (outcome.kind === 'interrupted' && this.draining)
      return this.parkWithoutAttempt(delivery, 'shutdown', sink, index);
    const attemptsMade = outcome.kind === 'interrupted' ? 0 : 1;
    const decision = this.parts.decide(delivery, record);
    this.store({ delivery, reason: 'failed', attemptsMade, history: [record], decision }, sink, index);
  }

  private store(request: ParkRequest, sink: ResultSink, index: number): void {
    this.parts.parking.park(request).settled.then(
      () => sink.resolve(index, 'stored'),
      () => sink.resolve(index, 'unstored'),
    );
  }

  /** The request goes on; the job only becomes due when the request can no longer be under way. */
  private storeSlow({ delivery, sink, index }: Submission): Ticket {
    const delayMs = slowDelayMs(delivery);
    const ticket = this.parts.parking.park({
      delivery,
      reason: 'slow',
      attemptsMade: 1,
      history: [],
      decision: { kind: 'retry', delayMs },
    });
    ticket.settled.then(
      (how) => sink.resolve(index, how === 'stored' ? 'stored' : 'delivered'),
      () => sink.resolve(index, 'unstored'),
    );
    return ticket;
  }

  private async finishSlow(delivery: Delivery, record: AttemptRecord, ticket: Ticket): Promise<void> {
    const { parking, onError } = this.parts;
    const { kind } = record.outcome;
    if (kind === 'delivered') ticket.withdraw();
    try {
      // An outcome that decides nothing leaves the decision to the job, when it fires.
      if ((await ticket.settled) === 'withdrawn' || kind === 'interrupted' || kind === 'discarded') return;
      await (kind === 'delivered' ? parking.delivered(delivery) : parking.failed(delivery, record));
    } catch (error) {
      // Where the job is stored it will fire: at worst the delivery is made once more.
      onError(error, delivery);
    }
  }

  /** Room came free: destinations take turns, so that a long line at one does not keep the others waiting. */
  private startNext(where: DestinationId | undefined): void {
    let passedOver = 0;
    for (let line = this.lines.first; line !== undefined; line = this.lines.first) {
      const turn = this.serve(line);
      if (turn === 'full') return;
      if (turn === 'served') {
        passedOver = 0;
        continue;
      }
      // Next time those are looked at that were not now.
      this.lines.moveBack(line);
      if (++passedOver >= Math.min(this.lines.size, MOST_PASSED_OVER)) break;
    }
    // Its own place came free, which nobody else can use; it may stand behind many that are passed over.
    const own = where === undefined ? undefined : this.lines.get(where);
    if (own?.first !== undefined) this.serve(own);
  }

  /** Where several destinations wait each starts one, and comes round again; one alone starts as many as it may. */
  private serve(line: Line): 'served' | 'passed-over' | 'full' {
    const { bulkhead } = line;
    do {
      letGo(line);
      const { first } = line;
      if (first === undefined) break;
      if (!this.parts.places.hasPlace) return 'full';
      if (bulkhead.circuit.closedIn() > 0) this.parkAll(line, bulkhead.circuit.obstacle);
      else if (bulkhead.hasRoom && this.mayBegin(first.delivery)) this.startFirst(line);
      else return 'passed-over';
    } while (this.lines.size === 1);
    if (line.first === undefined) this.lines.remove(line);
    else this.lines.moveBack(line);
    return 'served';
  }

  private startFirst(line: Line): void {
    const next = line.take();
    if (next !== undefined) void this.attempt(next, line.bulkhead);
  }

  private parkAll(line: Line, reason: ParkReason): void {
    for (let next = line.take(); next !== undefined; next = line.take())
      this.parkWithoutAttempt(next.delivery, reason, next.sink, next.index);
  }

  /** Those that have waited too long, and those that hold up others by now, as the destination has become slow. */
  private parkOverdue(now: number): void {
    for (const line of this.lines.all()) {
      letGo(line);
      while (line.first !== undefined && this.waitLimits.isOverdue(line.first, line.bulkhead, now)) {
        const overdue = line.take();
        if (overdue !== undefined)
          this.parkWithoutAttempt(overdue.delivery, 'saturated', overdue.sink, overdue.index);
      }
      if (line.first === undefined) this.lines.remove(line);
    }
    if (this.lines.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }
}

/** Lets go of the first ones whose messages the broker took back: begun here they would be made twice, as they come again. */
function letGo(line: Line): void {
  for (let { first } = line; first?.sink.isLost === true; { first } = line) {
    line.take();
    first.sink.resolve(first.index, 'untouched');
  }
}
