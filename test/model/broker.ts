import type { SourceMessage } from '../../src/pipeline/message';
import { Channel, type Queued } from './channel';
import type { Process } from './process';
import type { VirtualTime } from './virtual-time';

const RECONNECT_MS = 300;
/** A peer that is silent for longer is given up, by either side. */
const HEARTBEAT_MS = 1500;

export type BrokerMode = 'up' | 'down' | 'silent';

/** The ordered queue hands its messages to one consumer at a time, in their order. */
export type QueueName = 'main' | 'ordered';

/** A queue in memory with RabbitMQ's rules: prefetch, and redelivery of what a lost channel held. */
class MemoryQueueOfBroker {
  private ready: Queued[] = [];
  /** The first one is the active one of a queue that has one active consumer. */
  private readonly channels = new Set<Channel>();

  constructor(private readonly name: QueueName) {}

  get unsettled(): number {
    return this.ready.length + [...this.channels].reduce((sum, { size }) => sum + size, 0);
  }

  add(message: Queued): void {
    this.ready.push(message);
  }

  open(channel: Channel): void {
    this.channels.add(channel);
  }

  /** Everything that the channel held comes again, before what was not handed over yet. */
  takeBack(channel: Channel, held: readonly Queued[]): void {
    this.channels.delete(channel);
    for (const message of held) message.redelivered = true;
    this.ready = [...held, ...this.ready];
  }

  requeue(message: Queued): void {
    message.redelivered = true;
    this.ready.unshift(message);
  }

  breakChannels(): void {
    for (const channel of [...this.channels]) channel.lose();
  }

  /** The first one gets lost: of a queue that has one active consumer, which is another one then. */
  breakFirst(): void {
    const [first] = this.channels;
    first?.lose();
  }

  pump(): void {
    for (const channel of this.channels) {
      for (let next = this.ready[0]; next !== undefined && channel.hasRoom; next = this.ready[0]) {
        this.ready.shift();
        channel.handOver(next);
      }
      if (this.name === 'ordered') return;
    }
  }
}

/** RabbitMQ with the two queues that the relay has where a destination is ordered; acknowledgements may get lost. */
export class MemoryBroker {
  /** The next acknowledgements never arrive: their channel breaks instead. */
  acknowledgementsToLose = 0;
  /** When a channel was lost last. */
  lostAt = Number.NEGATIVE_INFINITY;
  /** Hears that messages of a channel that was lost come again. */
  onTakenBack: () => void = () => {};
  private current: BrokerMode = 'up';
  private readonly queues = {
    main: new MemoryQueueOfBroker('main'),
    ordered: new MemoryQueueOfBroker('ordered'),
  };
  /** Frames that a silent network holds. */
  private frames: (() => void)[] = [];
  private readonly onTheirWay: (() => void)[] = [];

  constructor(readonly time: VirtualTime) {}

  get mode(): BrokerMode {
    return this.current;
  }

  get unsettled(): number {
    return this.queues.main.unsettled + this.queues.ordered.unsettled;
  }

  publish(body: Buffer, queue: QueueName): void {
    this.queues[queue].add({ body, redelivered: false });
    this.pump();
  }

  open(channel: Channel): void {
    this.queues[channel.queue].open(channel);
    this.pump();
  }

  takeBack(channel: Channel, held: readonly Queued[]): void {
    this.queues[channel.queue].takeBack(channel, held);
    this.lostAt = this.time.now;
    if (held.length > 0) this.onTakenBack();
    this.pump();
  }

  requeue(message: Queued): void {
    this.queues.main.requeue(message);
    this.pump();
  }

  breakChannels(): void {
    for (const queue of Object.values(this.queues)) queue.breakChannels();
  }

  /** The ordered queue has another active consumer, where there is one. */
  passOn(): void {
    this.queues.ordered.breakFirst();
  }

  become(mode: BrokerMode): void {
    this.current = mode;
    if (mode === 'up') {
      for (const frame of this.frames.splice(0)) this.transmit(frame);
      return this.pump();
    }
    if (mode === 'down') return this.breakChannels();
    this.time.later(HEARTBEAT_MS, () => {
      if (this.current === 'silent') this.breakChannels();
    });
  }

  /** A frame on its way, in either direction. One that was sent later never overtakes another, as on a connection. */
  transmit(frame: () => void): void {
    this.onTheirWay.push(frame);
    this.time.wire(1, () => {
      const first = this.onTheirWay.shift();
      if (first === undefined) return;
      if (this.current === 'silent') this.frames.push(first);
      else first();
    });
  }

  pump(): void {
    if (this.current !== 'up') return;
    for (const queue of Object.values(this.queues)) queue.pump();
  }
}

export interface SourceParts {
  readonly broker: MemoryBroker;
  readonly queue: QueueName;
  readonly process: Process;
  readonly prefetch: number;
  readonly onMessage: (message: SourceMessage) => void;
}

/** One queue as one process consumes it. */
export class MemorySource {
  private channel: Channel | undefined;
  private isStopped = false;

  constructor(private readonly parts: SourceParts) {
    parts.process.onDeath(() => this.channel?.lose());
  }

  start(): void {
    if (this.isStopped) return;
    const { broker } = this.parts;
    if (broker.mode !== 'up') return this.reconnect();
    this.channel = new Channel({ ...this.parts, onLost: () => this.reconnect() });
    broker.open(this.channel);
  }

  /** Nothing new comes in; what is held may be settled. */
  stopIntake(): void {
    this.isStopped = true;
    this.channel?.stop();
  }

  /** What was settled before reaches the broker first. */
  close(): Promise<void> {
    this.stopIntake();
    return new Promise((resolve) => {
      this.parts.broker.transmit(() => {
        this.channel?.lose();
        this.parts.process.reach(resolve);
      });
    });
  }

  private reconnect(): void {
    if (!this.isStopped) setTimeout(() => this.start(), RECONNECT_MS);
  }
}
