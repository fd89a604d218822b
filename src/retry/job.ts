import { COMPRESSION, compress, decompress } from '../events/compression';
import type { Origin } from '../events/envelope';
import type { AttemptRecord, DeliveryId, DestinationId } from '../pipeline/delivery';
import type { ParkRequest } from '../pipeline/parking';

/**
 * Data of a BullMQ job: one parked delivery or one dead letter. Short keys, as millions of them lie in Redis. No
 * URL and no secret beyond what the event itself carries: the destination is named by reference.
 */
export interface JobData {
  /** Version of this shape and of the compression dictionary. */
  readonly v: typeof COMPRESSION;
  /** Destination reference; `none` for a malformed message. */
  readonly d: DestinationId | 'none';
  /** Event and instance, for lists and filters; empty for a malformed message. */
  readonly e: string;
  readonly i: string;
  /** Body as it came, compressed, base64. */
  readonly b: string;
  /** Length of the body in bytes. */
  readonly l: number;
  /** 1 where it is one of a lane. */
  readonly q?: 1;
  /** Fingerprint of the address of a global destination, as the worker that parked it has it. */
  readonly a?: string;
  /** Attempts spent before the job was made. */
  readonly n: number;
  /** What those were; later ones are the job's log. */
  readonly h?: readonly PackedRecord[];
  /** What was wrong with a malformed message. */
  readonly m?: string;
  /** Transport's word where the body did not name event or instance. */
  readonly o?: Origin;
  /** The trace of its event, as W3C's Trace Context writes it. */
  readonly t?: string;
}

/** What logs and metrics say of a stored delivery. */
export interface DeliveryLabels {
  readonly destination: DestinationId | 'none';
  readonly event: string;
  readonly instance: string;
}

export const NO_LABELS: DeliveryLabels = { destination: 'none', event: '', instance: '' };

export function labelsOf({ d, e, i }: JobData): DeliveryLabels {
  return { destination: d, event: e, instance: i };
}

/** An attempt without the names of its fields, which would be half of it. */
type PackedRecord = readonly [
  attempt: number,
  at: number,
  durationMs: number,
  kind: 'failed' | 'rejected',
  code: string,
  /** 0: there was no answer. */
  status: number,
  answer: string,
];

/** Only what was tried and not delivered is stored; what the answer asked for is in the job's delay. */
function pack({ attempt, at, durationMs, outcome }: AttemptRecord): PackedRecord[] {
  if (outcome.kind !== 'failed' && outcome.kind !== 'rejected') return [];
  const { kind, code, status = 0, answer = '' } = outcome;
  return [[attempt, at, durationMs, kind, code, status, answer]];
}

function unpack([attempt, at, durationMs, kind, code, status, answer]: PackedRecord): AttemptRecord {
  const answered = { ...(status === 0 ? {} : { status }), ...(answer === '' ? {} : { answer }) };
  return { attempt, at, durationMs, outcome: { kind, code, ...answered } };
}

export async function jobDataOf(request: ParkRequest): Promise<JobData> {
  const { delivery, attemptsMade, history } = request;
  const { envelope, destination } = delivery;
  return {
    v: COMPRESSION,
    d: destination.id,
    e: envelope.event,
    i: envelope.instance,
    b: await compress(envelope.body),
    l: envelope.body.length,
    n: attemptsMade,
    ...(delivery.lane === undefined ? {} : { q: 1 as const }),
    ...(destination.address === undefined ? {} : { a: destination.address }),
    ...(history.length > 0 ? { h: history.flatMap(pack) } : {}),
    ...(envelope.traceparent === undefined ? {} : { t: envelope.traceparent }),
  };
}

/** Bytes of a body that can never be an event that are kept: enough to see what it is, and no way to fill Redis. */
const MALFORMED_KEPT = 1_048_576;

export async function malformedJobData(body: Buffer, origin: Origin, code: string): Promise<JobData> {
  return {
    v: COMPRESSION,
    d: 'none',
    e: '',
    i: '',
    b: await compress(body.subarray(0, MALFORMED_KEPT)),
    l: body.length,
    n: 0,
    m: code,
    o: origin,
  };
}

/** `newer`: written by a later version, which may still read it; `unreadable`: by nobody of ours. */
export type JobRecord =
  | { readonly kind: 'job'; readonly data: JobData }
  | { readonly kind: 'newer' | 'unreadable' };

/** Reads what lies in Redis, where anybody may have written. */
export function readJob(text: string): JobRecord {
  return recordOf(parsed(text));
}

/** The same for what was parsed by BullMQ. */
export function recordOf(data: unknown): JobRecord {
  if (typeof data !== 'object' || data === null) return { kind: 'unreadable' };
  const { v, d, e, i, b, l, n } = data as Partial<Record<keyof JobData, unknown>>;
  if (typeof v === 'number' && v > COMPRESSION) return { kind: 'newer' };
  const isJob =
    v === COMPRESSION &&
    [d, e, i, b].every((field) => typeof field === 'string') &&
    [l, n].every((field) => typeof field === 'number');
  return isJob ? { kind: 'job', data: data as JobData } : { kind: 'unreadable' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Attempts spent before the job was made: none count of a dead letter that was replayed, as its job's options say. */
export function spentBefore({ n }: JobData, options: unknown): number {
  const read = typeof options === 'string' ? parsed(options) : options;
  const spent = typeof read === 'object' && read !== null && 'spent' in read ? read.spent : undefined;
  return typeof spent === 'number' ? spent : n;
}

/** The delivery before it in its lane that was given up on, as its job's options say. */
export function gapOf(options: unknown): DeliveryId | undefined {
  const read = typeof options === 'string' ? parsed(options) : options;
  const gap = typeof read === 'object' && read !== null && 'gap' in read ? read.gap : undefined;
  return typeof gap === 'string' ? (gap as DeliveryId) : undefined;
}

export async function bodyOf(data: JobData): Promise<Buffer> {
  return decompress(data.b);
}

/** The routing key that makes `parseEnvelope` find the same event and instance again. */
export function originOf(data: JobData): Origin {
  return data.o ?? { routingKey: data.e, instance: data.i };
}

/** An attempt made after the delivery was stored, as a line of BullMQ's job log. */
export function historyLine(record: AttemptRecord): string {
  return JSON.stringify(record);
}

/** Lines that are no records are left out. */
export function historyOf({ h = [] }: JobData, lines: readonly string[]): AttemptRecord[] {
  return [...h.map(unpack), ...lines.map(parsed).filter(isRecord)];
}

function isRecord(value: unknown): value is AttemptRecord {
  return typeof value === 'object' && value !== null && 'attempt' in value && 'outcome' in value;
}

/** Lines of history kept of one delivery. */
export const HISTORY_LIMIT = 50;
