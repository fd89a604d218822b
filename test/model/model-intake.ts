import type { SourceMessage } from '../../src/pipeline/message';
import type { Relay } from '../../src/pipeline/relay';
import type { OrderedCopies } from '../../src/worker/ordered-copies';
import { type MemoryBroker, MemorySource, type QueueName } from './broker';
import type { Gauge } from './gauge';
import { LIMITS } from './limits';
import type { Process } from './process';

export interface IntakeParts {
  readonly broker: MemoryBroker;
  readonly process: Process;
  readonly relay: Relay;
  readonly copies: OrderedCopies;
  readonly gauge: Gauge;
  /** Whether what a lost channel held comes to this process again; else it may hold new messages as well. */
  readonly isAlone: () => boolean;
}

/** The queues as one process consumes them. */
export class ModelIntake {
  private readonly sources: readonly MemorySource[];
  /** Messages of the ordered queue that are held. */
  private ordered = 0;

  constructor(private readonly parts: IntakeParts) {
    this.sources = [this.sourceOf('main'), this.sourceOf('ordered')];
  }

  start(): void {
    for (const source of this.sources) source.start();
  }

  stop(): void {
    for (const source of this.sources) source.stopIntake();
  }

  close(): Promise<unknown> {
    return Promise.all(this.sources.map((source) => source.close()));
  }

  private sourceOf(queue: QueueName): MemorySource {
    const { broker, process } = this.parts;
    const { prefetch } = LIMITS;
    return new MemorySource({ broker, queue, process, prefetch, onMessage: (message) => this.take(message) });
  }

  private take(message: SourceMessage): void {
    const { relay, copies } = this.parts;
    if (message.copy !== 'ordered') {
      relay.handle('rabbitmq', message);
      return this.check(relay.openMessages - this.ordered);
    }
    copies.take(message, () => {
      relay.handle('rabbitmq', this.counted(message));
      this.check(this.ordered);
    });
  }

  private check(held: number): void {
    const { gauge, isAlone } = this.parts;
    if (isAlone()) gauge.messages(held);
  }

  private counted(message: SourceMessage): SourceMessage {
    this.ordered++;
    let isSettled = false;
    return {
      ...message,
      get isLost() {
        return message.isLost;
      },
      settle: (settlement) => {
        if (!isSettled) this.ordered--;
        isSettled = true;
        message.settle(settlement);
      },
    };
  }
}
