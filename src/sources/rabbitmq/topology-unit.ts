import type { Backoff } from '../../time/backoff';
import type { ControlChannel } from './control-channel';
import type { Refused } from './refusals';
import type { TopologyOptions } from './topology';

/** What ensuring a unit came to. */
export interface UnitResult {
  /** Queues that can be consumed. */
  readonly queues: readonly string[];
  readonly refused: readonly Refused[];
}

/** The smallest part of what is wanted at the broker that may fail while all others go on. */
export interface TopologyUnit {
  /** Unique among all units. */
  readonly key: string;
  /** For messages, such as `exchange "x"`. */
  readonly what: string;
  /** Set where it belongs to one instance. */
  readonly instance: string | undefined;
  readonly pause: Backoff;
  /** When it is looked at again, by the monotonic clock. */
  dueAt: number;
  /** Queues that it gave last. */
  queues: readonly string[];
  /** Something of it was refused last time. */
  isRefused: boolean;
  /** The broker closed the whole connection while this was asked for: it is tried on a connection of its own. */
  isSuspect: boolean;
  /** It was looked at in whole on the present connection. */
  isKnown: boolean;
  /** Nothing can be done for it while the relay's own queue is missing. */
  needsOwnQueue(options: TopologyOptions): boolean;
  /**
   * @param mayTidy bindings that an earlier process left behind are taken away, too
   * @throws ConnectionLostError
   */
  ensure(control: ControlChannel, options: TopologyOptions, mayTidy: boolean): Promise<UnitResult>;
}

/** Takes those out that can go on. */
export function take(
  due: Set<TopologyUnit>,
  canGoOn: (unit: TopologyUnit) => boolean,
): readonly TopologyUnit[] {
  const taken = [...due].filter(canGoOn);
  for (const unit of taken) due.delete(unit);
  return taken;
}

/** Whether it is the operator's, and refused at present. */
export function isOperatorsOut({ instance, isRefused, isSuspect }: TopologyUnit): boolean {
  return instance === undefined && (isRefused || isSuspect);
}
