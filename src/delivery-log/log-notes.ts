import type { Envelope } from '../events/envelope';
import type { AttemptRecord, Delivery, Outcome, ParkReason } from '../pipeline/delivery';
import { ANSWER_LENGTH, type Happening, type LogEntry } from './log-record';
import type { NewRecord } from './log-segment';
import { messageKeyOf, NO_KEY } from './message-key';

/** A delivery that was given up on, as far as it is known there. */
export interface DeadDelivery {
  readonly id: string;
  readonly destination: string;
  readonly event: string;
  readonly instance: string;
}

/** Something that happened. Its record is made when those of others are. */
export interface Noted {
  /** Of the event that it holds until then. */
  readonly bytes: number;
  record(): NewRecord;
}

/** Where records go (log-writer.ts). */
export interface LogSink {
  note(noted: Noted): void;
  hasRoomForBody(bytes: number): boolean;
}

export interface LogNotesParts {
  readonly sink: LogSink;
  /** An attempt that took this long had its delivery stored meanwhile. */
  readonly slowAfterMs: number;
  /** Whether bodies of what was delivered are kept. */
  readonly withBodies: boolean;
}

/** The code of a record that no destination wanted the event. */
const UNWANTED = 'no-destination';
/** Larger bodies are not kept. */
const MAX_BODY_BYTES = 1_048_576;
const NO_ATTEMPT = { attempt: 0, durationMs: 0, status: 0, answer: '' };

/** Makes the log's records of what happens to deliveries. */
export class LogNotes {
  constructor(private readonly parts: LogNotesParts) {}

  attemptEnded(delivery: Delivery, attempt: AttemptRecord): void {
    this.parts.sink.note(new EndedAttempt(this.parts, delivery, attempt));
  }

  /** An attempt that failed says so itself. */
  parked({ id, envelope, destination }: Delivery, reason: ParkReason): void {
    if (reason === 'failed') return;
    this.note('parked', reason, { id, destination: destination.id, envelope });
  }

  deadLettered({ id, destination, event, instance }: DeadDelivery, reason: string): void {
    const names = { id, destination, event, instance, bytes: 0 };
    const entry = { ...names, ...NO_ATTEMPT, what: 'dead', code: reason, at: Date.now() } as const;
    const record = { entry, key: NO_KEY, isFirst: false, body: undefined };
    this.parts.sink.note({ bytes: 0, record: () => record });
  }

  /** A condition on its content leaves the event out. */
  filtered({ id, envelope, destination }: Delivery): void {
    this.note('discarded', 'filtered', { id, destination: destination.id, envelope });
  }

  /** No destination wanted the event. */
  unwanted(envelope: Envelope): void {
    this.note('discarded', UNWANTED, { id: `evt_${envelope.id}`, destination: '', envelope });
  }

  private note(what: Happening, code: string, { id, destination, envelope }: Named): void {
    const { event, instance, body, since } = envelope;
    const entry: LogEntry = {
      what,
      id,
      destination,
      instance,
      event,
      at: Date.now(),
      attempt: 0,
      durationMs: 0,
      status: 0,
      code,
      answer: '',
      bytes: body.length,
    };
    this.parts.sink.note({
      bytes: body.length,
      record: () => ({ entry, key: messageKeyOf(envelope), isFirst: since !== undefined, body: undefined }),
    });
  }
}

/** The hot path: a record made by a spread of objects takes twenty times as long. */
class EndedAttempt implements Noted {
  constructor(
    private readonly parts: LogNotesParts,
    private readonly delivery: Delivery,
    private readonly attempt: AttemptRecord,
  ) {}

  get bytes(): number {
    return this.delivery.envelope.body.length;
  }

  record(): NewRecord {
    const { id, envelope, destination } = this.delivery;
    const { outcome, durationMs, at, attempt } = this.attempt;
    const entry: LogEntry = {
      what: outcome.kind,
      id,
      destination: destination.id,
      instance: envelope.instance,
      event: envelope.event,
      at,
      attempt,
      durationMs,
      status: 'status' in outcome ? (outcome.status ?? 0) : 0,
      code: codeOf(outcome),
      answer: 'answer' in outcome ? (outcome.answer ?? '').slice(0, ANSWER_LENGTH) : '',
      bytes: envelope.body.length,
    };
    // One that came from the store was logged before.
    const isFirst = envelope.since !== undefined && durationMs < this.parts.slowAfterMs;
    const body = outcome.kind === 'delivered' ? this.bodyOf(envelope) : undefined;
    return { entry, key: messageKeyOf(envelope), isFirst, body };
  }

  private bodyOf({ id, body }: Envelope): NewRecord['body'] {
    const { withBodies, sink } = this.parts;
    const isKept = withBodies && body.length <= MAX_BODY_BYTES && sink.hasRoomForBody(body.length);
    return isKept ? { event: id, bytes: body } : undefined;
  }
}

interface Named {
  readonly id: string;
  readonly destination: string;
  readonly envelope: Envelope;
}

/** Why it ended as it did; empty where it was delivered. */
function codeOf(outcome: Outcome): string {
  if (outcome.kind === 'delivered') return '';
  return outcome.kind === 'discarded' ? outcome.reason : outcome.code;
}
