import { DESTINATION_KEY_LENGTH } from '../pipeline/delivery';
import type { RetryStore } from '../retry/retry-store';

/** One line of the audit; every number counts deliveries. */
export interface AuditLine {
  readonly destination: string;
  readonly accepted: number;
  readonly delivered: number;
  /** Jobs that lie in Redis at this moment. */
  readonly parked: number;
  /** Dead letters that lie in Redis at this moment. */
  readonly dead: number;
  /** Dead letters that a person removed or that expired. */
  readonly discarded: number;
  /** accepted − delivered − parked − dead − discarded: anything but 0 is a finding. */
  readonly difference: number;
}

/** How much of Redis the deliveries of one owner take: an instance, or a global destination. Bytes are approximate. */
export interface Share {
  readonly owner: string;
  readonly parked: number;
  readonly parkedBytes: number;
  readonly dead: number;
  readonly deadBytes: number;
}

export interface Audit {
  readonly destinations: readonly AuditLine[];
  /** The owners that have most, the largest first. */
  readonly largest: readonly Share[];
}

const LARGEST = 10;

type Reply = readonly [
  counters: string[],
  parked: string[],
  dead: string[],
  names: string[],
  shares: readonly (readonly [owner: string, ...numbers: [string, string, string, string]])[],
];

/**
 * Compares what was counted with what lies in Redis, in one atomic look. It reads every stored job's id: about
 * 0.3 s of Redis for a million.
 */
export async function audit(store: Pick<RetryStore, 'call'>): Promise<Audit> {
  const reply = (await store.call('relayAudit', LARGEST)) as Reply;
  const [counters, parked, dead, names] = [reply[0], reply[1], reply[2], reply[3]].map(pairs);
  const keys = new Set([...(parked?.keys() ?? []), ...(dead?.keys() ?? [])]);
  for (const field of counters?.keys() ?? []) keys.add(field.slice(0, DESTINATION_KEY_LENGTH));
  const destinations = [...keys]
    .map((key) => {
      const counter = (name: string): number => Number(counters?.get(`${key}:${name}`) ?? 0);
      const line = {
        destination: names?.get(key) ?? key,
        accepted: counter('accepted'),
        delivered: counter('delivered'),
        parked: Number(parked?.get(key) ?? 0),
        dead: Number(dead?.get(key) ?? 0),
        discarded: counter('discarded'),
      };
      return {
        ...line,
        difference: line.accepted - line.delivered - line.parked - line.dead - line.discarded,
      };
    })
    .sort((a, b) => a.destination.localeCompare(b.destination));
  return { destinations, largest: largestOf(reply[4]) };
}

function largestOf(rows: Reply[4]): Share[] {
  return rows
    .map(([owner, parked, parkedBytes, dead, deadBytes]) => ({
      owner,
      parked: Number(parked),
      parkedBytes: Number(parkedBytes),
      dead: Number(dead),
      deadBytes: Number(deadBytes),
    }))
    .sort((a, b) => b.parkedBytes + b.deadBytes - a.parkedBytes - a.deadBytes)
    .slice(0, LARGEST);
}

function pairs(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2)
    map.set(String(flat[index]), String(flat[index + 1]));
  return map;
}
