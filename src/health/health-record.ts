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

/** Undefined for what is no record: anybody may have written to Redis. */
export function parseHealthRecord(text: string): HealthRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, state, since, by, untilMs, code, status, address, print } = value as Partial<
    Record<keyof HealthRecord, unknown>
  >;
  if (typeof id !== 'string' || (state !== 'failing' && state !== 'suspended')) return undefined;
  return {
    id: id as DestinationId,
    state,
    since: typeof since === 'number' ? since : 0,
    ...(by === 'gone' || by === 'time' || by === 'person' ? { by } : {}),
    ...(typeof untilMs === 'number' ? { untilMs } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof address === 'string' ? { address } : {}),
    ...(typeof print === 'string' ? { print } : {}),
  };
}

export function obstacleOf({ state }: HealthRecord): Obstacle {
  return state === 'suspended' ? 'suspended' : 'circuit-open';
}
