import { DESTINATION_KEY_LENGTH } from '../../src/pipeline/delivery';

export type Argument = string | number;

/** One parked delivery or dead letter, as the scripts of src/redis/ keep it. */
export interface Job {
  readonly id: string;
  readonly data: string;
  /** Those that were parked before have a lower one. */
  readonly order: number;
  place:
    | { readonly kind: 'delayed'; readonly due: number; readonly inLine: boolean }
    | { readonly kind: 'active' }
    /** Others of its lane are before it. */
    | { readonly kind: 'behind' }
    | { readonly kind: 'dead'; readonly reason: string };
  lock: { readonly token: string; until: number } | undefined;
  takenBy: string | undefined;
  /** Attempts since it was stored, and spent before where that is not what its data says. */
  attempts: number;
  spent: number | undefined;
  timesTaken: number;
  isStalled: boolean;
  /** The worker that has its request under way. */
  slowBy: string;
  lane: string;
  /** The one before it in its lane that was given up on. */
  gap: string;
}

/** It is in no place yet. */
export function newJob(stored: Pick<Job, 'id' | 'data' | 'order' | 'lane' | 'gap'>): Job {
  return {
    ...stored,
    place: { kind: 'behind' },
    lock: undefined,
    takenBy: undefined,
    attempts: 0,
    spent: undefined,
    timesTaken: 0,
    isStalled: false,
    slowBy: '',
  };
}

/** Of its destination. */
export function keyOf(id: string): string {
  return id.slice(-DESTINATION_KEY_LENGTH);
}
