import type { Settlement, SourceMessage } from '../../src/pipeline/message';
import type { MemoryBroker, QueueName } from './broker';
import type { Process } from './process';

/** A message in the broker. */
export interface Queued {
  readonly body: Buffer;
  redelivered: boolean;
}

export interface ChannelParts {
  readonly broker: MemoryBroker;
  readonly queue: QueueName;
  readonly process: Process;
  readonly prefetch: number;
  readonly onMessage: (message: SourceMessage) => void;
  readonly onLost: () => void;
}

/** How long the broker waits for an acknowledgement before it closes the channel. */
const CONSUMER_TIMEOUT_MS = 8000;

/** One channel of one process; a lost one stays lost. */
export class Channel {
  private readonly held = new Set<Queued>();
  private isLost = false;
  /** The process has heard of it: one that is frozen does later. */
  private isKnownLost = false;
  private isConsuming = true;

  constructor(private readonly parts: ChannelParts) {}

  get queue(): QueueName {
    return this.parts.queue;
  }

  get size(): number {
    return this.held.size;
  }

  get hasRoom(): boolean {
    return this.isConsuming && !this.isLost && this.held.size < this.parts.prefetch;
  }

  handOver(message: Queued): void {
    const { broker, process } = this.parts;
    this.held.add(message);
    const { redelivered } = message;
    broker.transmit(() => process.reach(() => this.receive(message, redelivered)));
    broker.time.later(CONSUMER_TIMEOUT_MS, () => {
      if (this.held.has(message)) this.lose();
    });
  }

  lose(): void {
    if (this.isLost) return;
    this.isLost = true;
    const held = [...this.held];
    this.held.clear();
    this.parts.broker.takeBack(this, held);
    this.parts.process.reach(() => {
      this.isKnownLost = true;
      this.parts.onLost();
    });
  }

  stop(): void {
    this.isConsuming = false;
  }

  private receive(message: Queued, redelivered: boolean): void {
    const isOrdered = this.queue === 'ordered';
    // What comes by the ordered queue at the end goes back with its channel.
    if (this.isKnownLost || (isOrdered && !this.isConsuming)) return;
    const isLost = (): boolean => this.isKnownLost;
    let isSettled = false;
    this.parts.onMessage({
      copy: this.queue,
      term: isOrdered ? this : undefined,
      body: message.body,
      origin: { routingKey: 'messages.upsert' },
      publishedAt: undefined,
      redelivered,
      get isLost() {
        return isLost();
      },
      settle: (settlement) => {
        if (!isSettled) this.parts.broker.transmit(() => this.settled(message, settlement));
        isSettled = true;
      },
    });
  }

  /** Whatever breaks while the frame is on its way takes it along. */
  private settled(message: Queued, settlement: Settlement): void {
    const { broker } = this.parts;
    if (this.isLost || !this.held.has(message)) return;
    if (settlement === 'ack' && broker.acknowledgementsToLose > 0) {
      broker.acknowledgementsToLose--;
      return this.lose();
    }
    // A message that was released would come again behind others: everything goes back in its order, with the channel.
    if (settlement === 'release' && this.queue === 'ordered')
      return this.isConsuming ? this.lose() : undefined;
    this.held.delete(message);
    if (settlement === 'release') broker.requeue(message);
    broker.pump();
  }
}
