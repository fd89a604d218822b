import type { Obstacle } from '../pipeline/circuit';
import type { DestinationId } from '../pipeline/delivery';

/** What is stored of a destination that is not well (redis/health-scripts.ts). */
export interface HealthRecord {
  readonly id: DestinationId;
  readonly state: 'failing' | 'suspended';
  /** Since when nothing has succeeded, or since a person suspended it; epoch milliseconds by the clock of Redis. */
  readonly since: number;
  /** Why it is suspended: it said that it is gone, nothing succeeded for too long, or a person wants it. */
  readonly by?: 'gone' | 'time' | 'person';
  /** Until when it is left alone; epoch milliseconds by the clock of Redis. */
  readonly untilMs?: number;
  /** Of the last attempt that failed. */
  readonly code?: string;
  /** 0: there was no answer. */
  readonly status?: number;
  /** As it may be shown. */
  readonly address?: string;
  /** Fingerprint of the address. */
  readonly print?: string;
}

/**
 * What is stored of a destination that answers and rejects everything: its events become dead letters at once. It is for people,
 * and says nothing to anything that makes attempts.
 */
export interface RejectionRecord
  extends Pick<HealthRecord, 'id' | 'since' | 'code' | 'status' | 'address' | 'print'> {
  readonly state: 'rejecting';
  readonly by?: undefined;
  readonly untilMs?: undefined;
}

/** Of a destination that is not well, in whichever way. */
export type UnwellRecord = HealthRecord | RejectionRecord;

/** Undefined for what is no record: anybody may have written to Redis. */
export function parseHealthRecord(text: string): HealthRecord | undefined {
  const fields = fieldsOf(text);
  const common = commonOf(fields);
  const { state, by, untilMs } = fields;
  if (common === undefined || (state !== 'failing' && state !== 'suspended')) return undefined;
  return {
    ...common,
    state,
    ...(by === 'gone' || by === 'time' || by === 'person' ? { by } : {}),
    ...(typeof untilMs === 'number' ? { untilMs } : {}),
  };
}

/** Undefined for what is no record. */
export function parseRejectionRecord(text: string): RejectionRecord | undefined {
  const fields = fieldsOf(text);
  const common = commonOf(fields);
  return common === undefined || fields.state !== 'rejecting' ? undefined : { ...common, state: 'rejecting' };
}

type Fields = Partial<Record<keyof HealthRecord, unknown>>;

function fieldsOf(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function commonOf({
  id,
  since,
  code,
  status,
  address,
  print,
}: Fields): Omit<RejectionRecord, 'state' | 'by' | 'untilMs'> | undefined {
  if (typeof id !== 'string') return undefined;
  return {
    id: id as DestinationId,
    since: typeof since === 'number' ? since : 0,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof address === 'string' ? { address } : {}),
    ...(typeof print === 'string' ? { print } : {}),
  };
}

export function obstacleOf({ state }: HealthRecord): Obstacle {
  return state === 'suspended' ? 'suspended' : 'circuit-open';
}
