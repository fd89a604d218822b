import { createHash } from 'node:crypto';
import type { DestinationId } from '../pipeline/delivery';

/** Whose share a stored delivery is charged to, and how much of Redis its parked deliveries may take. */
export interface Charge {
  readonly parkedBy: string;
  readonly deadBy: string;
  /** Bytes; 0 is no limit. */
  readonly maxParkedBytes: number;
}

export interface ShareLimits {
  /** Bytes parked for the destinations of one instance. */
  readonly perInstance: number;
  /** Bytes parked for one global destination. */
  readonly perGlobalDestination: number;
}

export interface SharesParts {
  readonly limits: ShareLimits;
  /** The instance whose own destination it is; undefined for a global one. */
  readonly instanceOf: (id: DestinationId) => string | undefined;
}

/** Longer names are charged under their hash: keys stay short. */
const MAX_NAME_LENGTH = 128;

/** What cannot be an event is charged together. */
export const MALFORMED: Charge = { parkedBy: 'malformed', deadBy: 'malformed', maxParkedBytes: 0 };

/**
 * Decides whose share a delivery is charged to.
 *
 * | destination      | while parked    | once dead              |
 * |------------------|-----------------|------------------------|
 * | of an instance   | that instance   | that instance          |
 * | global           | the destination | global, per instance   |
 *
 * So the operator's own webhook loses nothing because of one tenant's limit, and one tenant's dead letters never push out
 * another one's.
 */
export class Shares {
  constructor(private readonly parts: SharesParts) {}

  of(destination: DestinationId, instance: string): Charge {
    const { instanceOf, limits } = this.parts;
    const owner = instanceOf(destination);
    if (owner === undefined) {
      const { perGlobalDestination: maxParkedBytes } = limits;
      return { parkedBy: destination, deadBy: `global/${shortened(instance)}`, maxParkedBytes };
    }
    const name = `instance/${shortened(owner)}`;
    return { parkedBy: name, deadBy: name, maxParkedBytes: limits.perInstance };
  }
}

/** Everybody whom deliveries of an instance's events are charged to once they are dead. */
export function ownersOf(instance: string): readonly string[] {
  return [`instance/${shortened(instance)}`, `global/${shortened(instance)}`];
}

function shortened(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  return createHash('sha256').update(name).digest('base64url');
}
