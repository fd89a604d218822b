import { StateMachine } from '../../lifecycle/state-machine';
import type { Logger } from '../../observability/logging';
import { Backoff, type BackoffOptions } from '../../time/backoff';
import type { ControlChannel } from './control-channel';
import type { Refused } from './refusals';
import type { TopologyOptions } from './topology';
import { TOPOLOGY_UNIT_TRANSITIONS, type TopologyUnitState } from './topology-unit-states';

/** What ensuring a unit came to. */
export interface UnitResult {
  /** Queues that can be consumed. */
  readonly queues: readonly string[];
  readonly refused: readonly Refused[];
}

export interface TopologyUnitParts {
  /** Unique among all units. */
  readonly key: string;
  /** For messages, such as `exchange "x"`. */
  readonly what: string;
  /** Set where it belongs to one instance. */
  readonly instance: string | undefined;
  /** Pauses between tries of what is refused. */
  readonly retry: BackoffOptions;
  readonly log: Logger;
}

/** The smallest part of what is wanted at the broker that may fail while all others go on. */
export abstract class TopologyUnit {
  readonly key: string;
  readonly what: string;
  readonly instance: string | undefined;
  private readonly machine: StateMachine<TopologyUnitState>;
  private readonly pause: Backoff;
  private given: readonly string[] = [];
  /** When it is looked at again, by the monotonic clock. */
  private dueAt = 0;

  constructor({ key, what, instance, retry, log }: TopologyUnitParts) {
    this.key = key;
    this.what = what;
    this.instance = instance;
    this.pause = new Backoff(retry);
    this.machine = new StateMachine<TopologyUnitState>({
      name: `rabbitmq ${key}`,
      initial: 'untried',
      transitions: TOPOLOGY_UNIT_TRANSITIONS,
      log,
    });
  }

  get state(): TopologyUnitState {
    return this.machine.state;
  }

  /** Queues that it gave last. */
  get queues(): readonly string[] {
    return this.given;
  }

  /** Whether it is the operator's, and refused at present. */
  get isOperatorsOut(): boolean {
    return this.instance === undefined && this.machine.is('refused', 'suspect');
  }

  isDue(now: number): boolean {
    return this.dueAt <= now;
  }

  /** Nothing can be done for it while the relay's own queue is missing. */
  abstract needsOwnQueue(options: TopologyOptions): boolean;

  /** Nothing is known of a broker that was away: it may be another one. */
  abstract beginAnew(): void;

  /**
   * @param mayTidy bindings that an earlier process left behind are taken away, too
   * @throws ConnectionLostError
   */
  abstract ensure(control: ControlChannel, options: TopologyOptions, mayTidy: boolean): Promise<UnitResult>;

  /** The broker answered. @param again milliseconds until it is checked again, where nothing was refused */
  settle({ queues, refused }: UnitResult, now: number, again: number): void {
    this.given = queues;
    const isRefused = refused.length > 0;
    this.machine.move(isRefused ? 'refused' : 'ready');
    if (!isRefused) this.pause.reset();
    this.dueAt = now + (isRefused ? this.pause.next() : again);
  }

  /** The broker closed the connection while this was asked for. */
  suspect(): void {
    this.machine.move('suspect');
  }

  /** It is tried no sooner than that. */
  postpone(until: number): void {
    this.dueAt = until;
  }

  /** The broker ended the subscription of one of its queues, whose bindings are gone: it is looked at again by then. */
  lose(queue: string, dueAt: number): void {
    this.given = this.given.filter((each) => each !== queue);
    this.dueAt = dueAt;
  }

  /** It is wanted in another way. A suspect stays one: tried with the others, each change would cost their connection. */
  protected startOver(): void {
    this.machine.move('untried');
  }
}
