import type { Logger } from '../../observability/logging';
import { type ControlChannel, refusalOf } from './control-channel';
import { OwnQueue } from './own-queue';
import type { Refusals } from './refusals';
import { orderedQueue, type TopologyOptions } from './topology';

export interface OwnQueuesParts {
  readonly topology: TopologyOptions;
  readonly recheckMs: number;
  readonly refusals: Refusals;
  readonly log: Logger;
}

/** The dedicated queue and, where it is wanted or exists, the ordered one beside it. None where the queues are shared. */
export class OwnQueues {
  private readonly main: OwnQueue | undefined;
  private readonly ordered: OwnQueue;
  private isOrderedWanted = false;
  /** Whether the broker has an ordered queue was asked on this connection. */
  private isAsked = false;

  constructor(private readonly parts: OwnQueuesParts) {
    const { topology, ...others } = parts;
    this.main = hasOwn(topology) ? new OwnQueue({ name: topology.queue, ...others }) : undefined;
    this.ordered = new OwnQueue({ name: this.orderedName, isOrdered: true, ...others });
  }

  get areShared(): boolean {
    return this.main === undefined;
  }

  /** Exchanges can be bound. */
  get isReady(): boolean {
    return this.main?.isReady !== false;
  }

  get isOrderedReady(): boolean {
    return this.isOrderedWanted && this.ordered.isReady;
  }

  /** The ordered queue, while there is one. */
  get orderedQueues(): readonly string[] {
    return this.isOrderedReady ? [this.orderedName] : [];
  }

  /** Queues that may have bindings of what is no longer wanted. */
  get names(): readonly string[] {
    const { queue } = this.parts.topology;
    return this.isOrderedWanted ? [queue, this.orderedName] : [queue];
  }

  /** What exchanges are bound to now. */
  get topology(): TopologyOptions {
    const { topology } = this.parts;
    return this.isOrderedReady ? { ...topology, ordered: this.orderedName } : topology;
  }

  /** False where nothing changes. */
  wantOrdered(): boolean {
    if (this.isOrderedWanted || this.parts.topology.mode !== 'dedicated') return false;
    this.isOrderedWanted = true;
    this.ordered.hasten(0);
    return true;
  }

  /** Nothing is known of a broker that was away. */
  beginAnew(): void {
    this.isAsked = false;
    this.main?.hasten(0);
    this.ordered.hasten(0);
  }

  /** Whether this is one of them, which is then looked at in `ms`. */
  hasten(queue: string, ms: number): boolean {
    const { main } = this;
    if (main === undefined) return false;
    if (queue === this.parts.topology.queue) main.hasten(ms);
    else if (queue === this.orderedName) this.ordered.hasten(ms);
    else return false;
    return true;
  }

  /** Looks at them where they are due: which of them were declared just now, without any binding. @throws ConnectionLostError */
  async ensure(
    control: ControlChannel,
  ): Promise<{ readonly isNew: boolean; readonly isOrderedNew: boolean }> {
    if (this.main === undefined) return { isNew: false, isOrderedNew: false };
    await this.adopt(control);
    const wasReady = this.isOrderedReady;
    // The ordered one first: what is only in the other one would be missing there.
    const isOrderedNew = this.isOrderedWanted && (await this.ordered.ensure(control));
    const isNew = await this.main.ensure(control);
    return { isNew: isNew || isOrderedNew || (this.isOrderedReady && !wasReady), isOrderedNew };
  }

  /** An ordered queue that other workers use is bound from the start, whatever this one knows of settings. */
  private async adopt(control: ControlChannel): Promise<void> {
    if (this.isAsked) return;
    this.isAsked = true;
    if (this.isOrderedWanted || this.parts.topology.mode !== 'dedicated') return;
    const refusal = await refusalOf(control.ask((channel) => channel.checkQueue(this.orderedName)));
    if (refusal === undefined) this.wantOrdered();
  }

  private get orderedName(): string {
    return orderedQueue(this.parts.topology.queue);
  }
}

function hasOwn({ mode, hasFurther }: TopologyOptions): boolean {
  return mode === 'dedicated' || hasFurther === true;
}
