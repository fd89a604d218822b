import type { SourceMessage } from '../../src/pipeline/message';
import { Channel, type Queued } from './channel';
import type { Process } from './process';
import type { VirtualTime } from './virtual-time';

const RECONNECT_MS = 300;
/** A peer that is silent for longer is given up, by either side. */
const HEARTBEAT_MS = 1500;

export type BrokerMode = 'up' | 'down' | 'silent';

/** A queue in memory with RabbitMQ's rules: prefetch, redelivery of what a lost channel held, acknowledgements that get lost. */
export class MemoryBroker {
  /** The next acknowledgements never arrive: their channel breaks instead. */
  acknowledgementsToLose = 0;
  /** When a channel was lost last. */
  lostAt = Number.NEGATIVE_INFINITY;
  private current: BrokerMode = 'up';
  private ready: Queued[] = [];
  private readonly channels = new Set<Channel>();
  /** Frames that a silent network holds. */
  private frames: (() => void)[] = [];
  private readonly onTheirWay: (() => void)[] = [];

  constructor(readonly time: VirtualTime) {}

  get mode(): BrokerMode {
    return this.current;
  }

  get unsettled(): number {
    return this.ready.length + [...this.channels].reduce((sum, { size }) => sum + size, 0);
  }

  publish(body: Buffer): void {
    this.ready.push({ body, redelivered: false });
    this.pump();
  }

  open(channel: Channel): void {
    this.channels.add(channel);
    this.pump();
  }

  /** Everything that the channel held comes again, before what was not handed over yet. */
  takeBack(channel: Channel, held: readonly Queued[]): void {
    this.channels.delete(channel);
    this.lostAt = this.time.now;
    for (const message of held) message.redelivered = true;
    this.ready = [...held, ...this.ready];
    this.pump();
  }

  requeue(message: Queued): void {
    message.redelivered = true;
    this.ready.unshift(message);
    this.pump();
  }

  breakChannels(): void {
    for (const channel of [...this.channels]) channel.lose();
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
    for (const channel of this.channels) {
      for (let next = this.ready[0]; next !== undefined && channel.hasRoom; next = this.ready[0]) {
        this.ready.shift();
        channel.handOver(next);
      }
    }
  }
}

export interface SourceParts {
  readonly broker: MemoryBroker;
  readonly process: Process;
  readonly prefetch: number;
  readonly onMessage: (message: SourceMessage) => void;
}

/** What one process consumes. */
export class MemorySource {
  private channel: Channel | undefined;
  private isStopped = false;

  constructor(private readonly parts: SourceParts) {
    parts.process.onDeath(() => this.channel?.lose());
  }

  start(): void {
    if (this.isStopped) return;
    const { broker, process, prefetch } = this.parts;
    if (broker.mode !== 'up') return this.reconnect();
    const { onMessage } = this.parts;
    this.channel = new Channel({ broker, process, prefetch, onMessage, onLost: () => this.reconnect() });
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
