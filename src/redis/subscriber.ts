import { StoreUnavailableError } from '../errors';
import type { RelayRedis } from './relay-redis';

/** Messages of channels, for as long as the process lives. */
export interface Subscriptions {
  /** Resolves once Redis has confirmed it; where it rejects, the channel is subscribed as soon as Redis is back. */
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  onMessage(listener: (channel: string, message: Buffer) => void): void;
  /**
   * Called each time that messages may have been missed and everything is subscribed again: after the first connection,
   * each later one, and where a message went missing. At once, too, for a listener that comes while it is up.
   */
  onRecovered(listener: () => void): void;
  readonly isUp: boolean;
}

export interface SubscriberParts {
  /** A connection of its own (purpose `subscriber`). */
  readonly redis: RelayRedis;
  /** Publishes on another connection: what is sent there must arrive here. */
  readonly publish: (channel: string, message: string) => Promise<unknown>;
  /** Of this process alone. */
  readonly pulseChannel: string;
  readonly onError: (error: unknown) => void;
}

type State = 'down' | 'subscribing' | 'up';

const PULSE_MS = 5000;
/** Pulses in a row that were published and did not arrive before the connection is made anew. */
const LOST_PULSES = 2;
/** Channels subscribed by one command. */
const AT_ONCE = 1000;
const RETRY_MS = 500;

/**
 * One connection that only listens. It proves to itself that it hears: every few seconds it is asked for an answer, which
 * uncovers a connection that went silent, and it must hear a pulse that this process publishes on another connection,
 * which uncovers a server that messages no longer reach (a replica that lost its master, a node that left its Cluster).
 */
export class Subscriber implements Subscriptions {
  private state: State = 'down';
  private readonly channels = new Set<string>();
  private readonly messageListeners: ((channel: string, message: Buffer) => void)[] = [];
  private readonly recoveredListeners: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private pulse = 0;
  private heardPulse = 0;
  private lostPulses = 0;
  private closed = false;

  constructor(private readonly parts: SubscriberParts) {
    const { redis, pulseChannel } = parts;
    this.channels.add(pulseChannel);
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => this.take(channel.toString(), message));
    redis.on('ready', () => void this.recover());
    redis.on('close', () => this.enter('down'));
    this.timer = setInterval(() => void this.check(), PULSE_MS);
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  async subscribe(channel: string): Promise<unknown> {
    this.channels.add(channel);
    if (this.state === 'down') throw new StoreUnavailableError('the subscriber waits for Redis');
    return this.parts.redis.subscribe(channel);
  }

  async unsubscribe(channel: string): Promise<unknown> {
    this.channels.delete(channel);
    return this.state === 'down' ? undefined : this.parts.redis.unsubscribe(channel);
  }

  onMessage(listener: (channel: string, message: Buffer) => void): void {
    this.messageListeners.push(listener);
  }

  onRecovered(listener: () => void): void {
    this.recoveredListeners.push(listener);
    if (this.isUp) listener();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.parts.redis.disconnect();
  }

  private take(channel: string, message: Buffer): void {
    if (channel === this.parts.pulseChannel) this.heardPulse = Number(message.toString());
    // Messages may come before the answer that confirms the subscription: handed on, they would hide what was missed before
    // them. Listeners read all of it once they are told.
    else if (this.isUp) for (const listener of this.messageListeners) listener(channel, message);
  }

  private async recover(): Promise<void> {
    clearTimeout(this.retry);
    const { redis, onError } = this.parts;
    const { stream } = redis;
    this.enter('subscribing');
    try {
      const channels = [...this.channels];
      for (let start = 0; start < channels.length; start += AT_ONCE)
        await redis.subscribe(...channels.slice(start, start + AT_ONCE));
      // Another connection since then recovers by itself.
      if (redis.stream !== stream || this.state !== 'subscribing') return;
      this.pulse = this.heardPulse;
      this.lostPulses = 0;
      this.enter('up');
      this.announce();
    } catch (error) {
      onError(error);
      if (redis.stream === stream && redis.status === 'ready' && !this.closed)
        this.retry = setTimeout(() => void this.recover(), RETRY_MS);
    }
  }

  /** Asks for an answer, and publishes the next pulse once the one before has been looked for. */
  private async check(): Promise<void> {
    if (this.state !== 'up') return;
    const { redis, publish, pulseChannel, onError } = this.parts;
    if (this.pulse !== this.heardPulse) this.missPulse();
    else this.lostPulses = 0;
    redis.ping().catch(onError);
    const pulse = this.pulse + 1;
    try {
      await publish(pulseChannel, String(pulse));
      // Only what Redis has taken can be missed.
      if (this.heardPulse < pulse) this.pulse = pulse;
      else this.pulse = this.heardPulse;
    } catch (error) {
      onError(error);
    }
  }

  /** One may have been lost on a link between servers, with other messages; several tell of a dead end. */
  private missPulse(): void {
    this.lostPulses++;
    this.pulse = this.heardPulse;
    if (this.lostPulses < LOST_PULSES) this.announce();
    else {
      this.lostPulses = 0;
      this.parts.onError(new StoreUnavailableError('published messages do not arrive: subscribing anew'));
      this.parts.redis.disconnect(true);
    }
  }

  private enter(state: State): void {
    this.state = this.closed ? 'down' : state;
  }

  private announce(): void {
    for (const listener of this.recoveredListeners) listener();
  }
}
