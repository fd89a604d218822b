import { ControlChannel, RefusedError } from './control-channel';
import type { Session } from './session';

/** Depth of a source queue, as the broker reports it. Those of instances are one: their names are tenants' choice. */
export interface QueueDepth {
  readonly queue: string;
  readonly messages: number;
  readonly consumers: number;
}

export interface QueueDepthsParts {
  /** Queues that are consumed. */
  readonly queues: () => Iterable<string>;
  readonly instanceOf: (queue: string) => string | undefined;
}

/** What the queues of instances are called together. */
const INSTANCES = 'instances';
/** Queues asked for in one reading; the others keep what they had, and have their turn in the next ones. */
const AT_ONCE = 200;
/** Queues of the operator that are shown one by one; there are as many as events. */
const MAX_SHOWN = 100;

type Depth = Pick<QueueDepth, 'messages' | 'consumers'>;

/** Reads how deep the queues are, a bounded number of them at a time. */
export class QueueDepths {
  private known = new Map<string, Depth>();
  private next = 0;

  constructor(private readonly parts: QueueDepthsParts) {}

  /** By passive declaration; a queue that does not exist is left out. Rejects with the connection. */
  async read(session: Session): Promise<QueueDepth[]> {
    const queues = [...this.parts.queues()];
    const count = Math.min(AT_ONCE, queues.length);
    const control = new ControlChannel(session);
    try {
      for (let index = 0; index < count; index++) {
        const queue = queues[(this.next + index) % queues.length];
        if (queue !== undefined) await this.readOne(control, queue);
      }
    } finally {
      control.close();
    }
    this.next = queues.length === 0 ? 0 : (this.next + count) % queues.length;
    // Of those that are still consumed.
    this.known = new Map(queues.flatMap((queue) => this.entryOf(queue)));
    return this.summary();
  }

  private entryOf(queue: string): [string, Depth][] {
    const depth = this.known.get(queue);
    return depth === undefined ? [] : [[queue, depth]];
  }

  private async readOne(control: ControlChannel, queue: string): Promise<void> {
    try {
      const { messageCount, consumerCount } = await control.ask((channel) => channel.checkQueue(queue));
      this.known.set(queue, { messages: messageCount, consumers: consumerCount });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.known.delete(queue);
    }
  }

  private summary(): QueueDepth[] {
    const shown: QueueDepth[] = [];
    const others = { messages: 0, consumers: 0 };
    let hasOthers = false;
    for (const [queue, depth] of this.known) {
      if (this.parts.instanceOf(queue) === undefined && shown.length < MAX_SHOWN) {
        shown.push({ queue, ...depth });
        continue;
      }
      hasOthers = true;
      others.messages += depth.messages;
      others.consumers += depth.consumers;
    }
    return hasOthers ? [...shown, { queue: INSTANCES, ...others }] : shown;
  }
}
