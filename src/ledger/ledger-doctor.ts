import type { Finding } from '../observability/finding';
import { counted } from '../plural';
import type { RetryStore } from '../retry/retry-store';
import { audit, type Share } from './audit';

/** What one owner may take of Redis, bytes and deliveries; 0 is no limit. */
export interface OwnerLimits {
  readonly parkedBytes: { readonly perInstance: number; readonly perGlobalDestination: number };
  readonly dead: { readonly maxCount: number; readonly maxBytes: number };
}

const PART = 'redis';
const NEARLY_FULL = 0.9;
const SHOWN = 3;

/** Who takes most of Redis, and whose parked deliveries or dead letters are about to be too many. */
export async function inspectShares(store: RetryStore, limits: OwnerLimits): Promise<Finding[]> {
  const { largest } = await audit(store);
  const full = largest.flatMap((share) => fullOf(share, limits));
  return full.length > 0 ? full : [{ part: PART, check: 'shares', state: 'ok', detail: summaryOf(largest) }];
}

function fullOf(share: Share, { parkedBytes, dead }: OwnerLimits): Finding[] {
  const isInstance = share.owner.startsWith('instance/');
  const parkedLimit = isInstance ? parkedBytes.perInstance : parkedBytes.perGlobalDestination;
  const finding = (detail: string): Finding => ({
    part: PART,
    check: 'shares',
    state: 'trouble',
    detail: `${share.owner}: ${detail}`,
  });
  const findings: Finding[] = [];
  if (isNearly(share.parkedBytes, parkedLimit))
    findings.push(
      finding(`${megabytes(share.parkedBytes)} parked of ${megabytes(parkedLimit)}, then dead letters`),
    );
  if (isNearly(share.dead, dead.maxCount) || isNearly(share.deadBytes, dead.maxBytes))
    findings.push(
      finding(
        `${counted(share.dead, 'dead letter')}, ${megabytes(share.deadBytes)}: its oldest are discarded`,
      ),
    );
  return findings;
}

function isNearly(used: number, limit: number): boolean {
  return limit > 0 && used >= limit * NEARLY_FULL;
}

function summaryOf(largest: readonly Share[]): string {
  if (largest.length === 0) return 'nothing is parked, and there are no dead letters';
  return largest
    .slice(0, SHOWN)
    .map(
      ({ owner, parkedBytes, deadBytes }) =>
        `${owner} ${megabytes(parkedBytes)} parked, ${megabytes(deadBytes)} dead`,
    )
    .join('; ');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
