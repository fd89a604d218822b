/**
 * Whose fault it is when a connection fails at a part that all destinations share: the name servers, a proxy. Where the
 * part serves nobody, the fault is ours and spends no attempt. Where it serves others, the one destination is at fault,
 * however it fails: it must not wait for ever for a part that is well.
 */

/** Where nothing else shows it: this many different destinations hardly fail in a row while the part is well. */
const SEVERAL = 3;
/** Names that failed in a row, as far as they are counted. */
const MAX_NAMES = 8;

/** What became lately of the uses of one shared part. */
export class RecentUses {
  private readonly failed = new Set<string>();
  private workedAt = Number.NEGATIVE_INFINITY;

  /** Different names that failed since the last one that worked. */
  get failedNames(): number {
    return this.failed.size;
  }

  noteWorked(now: number): void {
    this.workedAt = now;
    this.failed.clear();
  }

  noteFailed(name: string): void {
    if (this.failed.size < MAX_NAMES) this.failed.add(name);
  }

  /** Whether it worked for some name at `start` or later. */
  workedSince(start: number): boolean {
    return this.workedAt >= start;
  }
}

/**
 * How a question to the name servers failed: none could be reached, none answered in time, or the answer was that they
 * could not find out (SERVFAIL, REFUSED).
 */
export type LookupFailure = 'unreachable' | 'silent' | 'refused';

/** What questions whose answer is known to exist got at the same time: an answer, an answer of no use, or none. */
export type Probe = 'works' | 'refused' | 'silent';

export interface FailedLookup {
  readonly failure: LookupFailure;
  readonly probe: Probe;
  /** Another name was found, or found not to exist, since this look-up began. */
  readonly othersWork: boolean;
  readonly failedNames: number;
}

/** Whether no name can be resolved at that moment. */
export function isResolverDown({ failure, probe, othersWork, failedNames }: FailedLookup): boolean {
  // Not even a packet left the machine: that cannot depend on the name.
  if (failure === 'unreachable') return true;
  if (othersWork || probe === 'works') return false;
  if (probe === 'silent') return true;
  // The servers are up, so a name that gets no answer is the only one. That they refuse may be the same for all names.
  return failure === 'refused' && failedNames >= SEVERAL;
}

/**
 * How a proxy failed: it could not be reached, wants other credentials, says that it does not reach the destination,
 * refused, or was reached and then gave no answer.
 */
export type ProxyFailure = 'unreachable' | 'credentials' | 'unreached' | 'refused' | 'silent';

/** Whether the proxy serves nobody at that moment. */
export function isProxyDown(failure: ProxyFailure, failedNames: number): boolean {
  switch (failure) {
    case 'unreachable':
    case 'credentials':
      return true;
    case 'unreached':
      return false;
    case 'refused':
    case 'silent':
      return failedNames >= SEVERAL;
  }
}
