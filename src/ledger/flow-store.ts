import { hash } from 'node:crypto';
import { type DestinationId, destinationKey } from '../pipeline/delivery';
import type { StoredCalls } from '../retry/retry-store';

/** Numbers of all deliveries at one moment; counters only grow. */
export interface FlowNumbers {
  /** Epoch milliseconds by the clock of Redis. */
  readonly at: number;
  /** Events that sources handed over, as far as workers reported them. */
  readonly received: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly discarded: number;
  readonly parked: number;
  readonly dead: number;
  /** Since when the oldest parked delivery is stored; 0: nothing is. */
  readonly oldestMs: number;
}

/** A queue of a source, as a worker sees it. */
export interface ReportedQueue {
  readonly queue: string;
  readonly messages: number;
  readonly consumers?: number | undefined;
  readonly oldestSeconds?: number | undefined;
}

export interface Flow extends FlowNumbers {
  /** accepted − delivered − discarded − parked − dead: anything but 0 is a finding. */
  readonly difference: number;
  readonly queues: readonly ReportedQueue[];
  /** How long ago a worker reported; undefined: none ever did. */
  readonly reportedMsAgo: number | undefined;
}

/** Of some destinations. */
export type FlowOfSome = Pick<FlowNumbers, 'accepted' | 'delivered' | 'discarded' | 'parked' | 'dead'>;

/** The largest ones are reported: with instances that have queues of their own there may be thousands. */
const MOST_QUEUES = 200;
const PRINT_LENGTH = 22;

/** How deliveries flow through all workers together, now and over the last day. */
export class FlowStore {
  constructor(private readonly calls: Pick<StoredCalls, 'isReady' | 'call'>) {}

  async read(): Promise<Flow> {
    const reply = (await this.calls.call('relayFlow')) as (number | string)[];
    const numbers = numbersOf(reply.slice(0, 8).map(Number));
    const { accepted, delivered, discarded, parked, dead } = numbers;
    const reported = Number(reply[8]);
    return {
      ...numbers,
      difference: accepted - delivered - discarded - parked - dead,
      queues: together(reply.slice(9).map((text) => queuesOf(String(text)))),
      reportedMsAgo: reported < 0 ? undefined : reported,
    };
  }

  async readOf(ids: readonly DestinationId[]): Promise<FlowOfSome> {
    const reply = (await this.calls.call('relayFlowOf', ...ids.map(destinationKey))) as number[];
    const sum = (place: number): number =>
      reply.reduce((all, number, index) => (index % 4 === place ? all + Number(number) : all), 0);
    const [accepted, delivered, discarded, parked] = [sum(0), sum(1), sum(2), sum(3)];
    const dead = Math.max(0, accepted - delivered - discarded - parked);
    return { accepted, delivered, discarded, parked, dead };
  }

  /** Adds the present minute to the history, unless another gateway did. */
  async sample(): Promise<void> {
    if (this.calls.isReady) await this.calls.call('relaySample');
  }

  /** What was written down of the last minutes, the oldest first. */
  async history(minutes: number): Promise<FlowNumbers[]> {
    const lines = (await this.calls.call('relayHistory', minutes)) as string[];
    return lines.map((line) => numbersOf(line.split(':').map(Number)));
  }

  /** What this worker took in since the last time, and the queues that it sees; false where Redis is away. */
  async report(received: number, queues: readonly ReportedQueue[]): Promise<boolean> {
    if (!this.calls.isReady) return false;
    const largest = [...queues].sort((a, b) => b.messages - a.messages).slice(0, MOST_QUEUES);
    const names = JSON.stringify(queues.map(({ queue }) => queue).sort());
    const print = hash('sha256', names, 'base64url').slice(0, PRINT_LENGTH);
    await this.calls.call('relayReport', received, JSON.stringify(largest), print);
    return true;
  }
}

function numbersOf(numbers: readonly number[]): FlowNumbers {
  const [
    at = 0,
    received = 0,
    accepted = 0,
    delivered = 0,
    discarded = 0,
    parked = 0,
    dead = 0,
    oldestMs = 0,
  ] = numbers;
  return { at, received, accepted, delivered, discarded, parked, dead, oldestMs };
}

/** Each queue as it was reported last, the largest first. Two of one report may have one name: of two brokers. */
function together(reports: readonly (readonly ReportedQueue[])[]): ReportedQueue[] {
  const known = new Set<string>();
  const all = reports.flatMap((queues) => {
    const further = queues.filter(({ queue }) => !known.has(queue));
    for (const { queue } of further) known.add(queue);
    return further;
  });
  return all.sort((a, b) => b.messages - a.messages);
}

/** Anybody may have written to Redis: what is no queue is left out. */
function queuesOf(text: string): ReportedQueue[] {
  try {
    const read: unknown = JSON.parse(text);
    return Array.isArray(read) ? read.filter(isQueue) : [];
  } catch {
    return [];
  }
}

function isQueue(value: unknown): value is ReportedQueue {
  if (typeof value !== 'object' || value === null) return false;
  const { queue, messages, consumers, oldestSeconds } = value as Partial<
    Record<keyof ReportedQueue, unknown>
  >;
  const isNumber = (each: unknown): boolean => each === undefined || typeof each === 'number';
  return (
    typeof queue === 'string' &&
    typeof messages === 'number' &&
    isNumber(consumers) &&
    isNumber(oldestSeconds)
  );
}
