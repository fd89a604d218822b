import type { Settlement, SourceMessage } from '../../src/pipeline/message';
import type { Process } from './process';
import type { VirtualTime } from './virtual-time';

interface Queued {
  readonly body: Buffer;
  redelivered: boolean;
}

/** How long the broker waits for an acknowledgement before it closes the channel. */
const CONSUMER_TIMEOUT_MS = 4000;
/** How long it takes to notice that a process no longer answers. */
const HEARTBEAT_MS = 1500;
const RECONNECT_MS = 300;
const LATENCY_MS = 1;

/** A queue in memory with RabbitMQ's rules: prefetch, redelivery of what a lost channel held, acknowledgements that get lost. */
export class MemoryBroker {
  isUp = true;
  /** Bodies that were acknowledged for good. */
  readonly acknowledged: Buffer[] = [];
  private ready: Queued[] = [];
  private readonly channels = new Set<Channel>();
  /** The next acknowledgements never arrive: their channel breaks instead. */
  acknowledgementsToLose = 0;

  constructor(readonly time: VirtualTime) {}

  get depth(): number {
    return this.ready.length;
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

  goDown(): void {
    this.isUp = false;
    this.breakChannels();
  }

  comeBack(): void {
    this.isUp = true;
    this.pump();
  }

  pump(): void {
    if (!this.isUp) return;
    for (const channel of this.channels) {
      for (let next = this.ready[0]; next !== undefined && channel.hasRoom; next = this.ready[0]) {
        this.ready.shift();
        channel.handOver(next);
      }
    }
  }
}

/** One channel of one process; a lost one stays lost. */
class Channel {
  private readonly held = new Set<Queued>();
  private isLost = false;
  private isConsuming = true;

  constructor(
    private readonly broker: MemoryBroker,
    private readonly source: MemorySource,
    private readonly process: Process,
    private readonly prefetch: number,
  ) {}

  get size(): number {
    return this.held.size;
  }

  get hasRoom(): boolean {
    return this.isConsuming && !this.isLost && this.held.size < this.prefetch;
  }

  handOver(message: Queued): void {
    this.held.add(message);
    const { time } = this.broker;
    setTimeout(() => this.process.reach(() => this.receive(message)), LATENCY_MS);
    setTimeout(() => {
      if (this.held.has(message)) this.lose();
    }, CONSUMER_TIMEOUT_MS);
    if (this.process.state !== 'running') this.loseUnlessHeard(time.now);
  }

  /** A peer that is silent for longer than the heartbeat allows is given up. */
  loseUnlessHeard(since: number): void {
    setTimeout(() => {
      if (this.process.state !== 'running' && this.broker.time.now - since >= HEARTBEAT_MS) this.lose();
    }, HEARTBEAT_MS);
  }

  lose(): void {
    if (this.isLost) return;
    this.isLost = true;
    this.broker.takeBack(this, [...this.held]);
    this.held.clear();
    this.process.reach(() => this.source.reconnect());
  }

  stop(): void {
    this.isConsuming = false;
  }

  private receive(message: Queued): void {
    if (this.isLost) return;
    this.source.hand({
      body: message.body,
      origin: { routingKey: 'messages.upsert' },
      publishedAt: undefined,
      redelivered: message.redelivered,
      lost: () => this.isLost,
      settle: (settlement) => this.settle(message, settlement),
    });
  }

  private settle(message: Queued, settlement: Settlement): void {
    // The frame is on its way; whatever breaks meanwhile takes it along.
    setTimeout(() => {
      if (this.isLost || !this.held.has(message)) return;
      if (settlement === 'ack' && this.broker.acknowledgementsToLose > 0) {
        this.broker.acknowledgementsToLose--;
        return this.lose();
      }
      this.held.delete(message);
      if (settlement === 'ack') this.broker.acknowledged.push(message.body);
      else this.broker.requeue(message);
      this.broker.pump();
    }, LATENCY_MS);
  }
}

interface Handed extends Omit<SourceMessage, 'isLost'> {
  readonly lost: () => boolean;
}

/** What one process consumes; its room counts messages whose work goes on, whatever became of their channel. */
export class MemorySource {
  private channel: Channel | undefined;
  private isStopped = false;
  private open = 0;
  /** Most messages that were held at once, those of lost channels included. */
  peak = 0;

  constructor(
    private readonly parts: {
      readonly broker: MemoryBroker;
      readonly process: Process;
      readonly prefetch: number;
      readonly onMessage: (message: SourceMessage) => void;
    },
  ) {}

  start(): void {
    this.connect();
  }

  /** Nothing new comes in; what is held may be settled. */
  stopIntake(): void {
    this.isStopped = true;
    this.channel?.stop();
  }

  close(): void {
    this.stopIntake();
    this.channel?.lose();
  }

  reconnect(): void {
    if (!this.isStopped) setTimeout(() => this.connect(), RECONNECT_MS);
  }

  hand(message: Handed): void {
    this.open++;
    this.peak = Math.max(this.peak, this.open);
    let isSettled = false;
    const { lost, settle, ...rest } = message;
    this.parts.onMessage({
      ...rest,
      get isLost() {
        return lost();
      },
      settle: (settlement) => {
        if (isSettled) return;
        isSettled = true;
        this.open--;
        settle(settlement);
      },
    });
  }

  private connect(): void {
    if (this.isStopped) return;
    const { broker, process, prefetch } = this.parts;
    if (!broker.isUp) return this.reconnect();
    this.channel = new Channel(broker, this, process, prefetch);
    broker.open(this.channel);
  }
}
