import { decodePublished, type StreamKeys, streamKeys } from '../../destinations/websocket/stream';
import type { Subscriptions } from '../../redis/subscriber';
import { Looks } from '../../time/looks';
import { Backlog, BacklogBudget } from './backlog';
import type { HeldBytes } from './held-bytes';
import { ReadTurns } from './read-turns';
import { Channel } from './stream-channel';
import type { StreamId } from './stream-id';
import { StreamMessage } from './stream-message';
import type { StreamReader } from './stream-reader';

export interface FeedParts {
  readonly subscriber: Pick<Subscriptions, 'subscribe' | 'unsubscribe' | 'onMessage' | 'onRecovered'>;
  /** Reads what clients missed. */
  readonly reader: StreamReader;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly held: HeldBytes;
  readonly onError: (error: unknown) => void;
}

/** Each holds at most one page. */
const READS_AT_ONCE = 16;
const READS_OF_ONE_STREAM = 4;
const BACKLOG_BYTES = 67_108_864;
/**
 * A stream of which nothing was heard from one round to the next is asked whether something was published; so a message
 * that got lost is noticed within two rounds although none comes after it.
 */
const CHECK_MS = 8000;
const STREAMS_A_QUESTION = 200;

/** Everything that is published for the clients of this gateway. Listens only to streams that somebody follows. */
export class Feed {
  private readonly channels = new Map<string, Channel>();
  private readonly turns = new ReadTurns({ places: READS_AT_ONCE, placesPerStream: READS_OF_ONE_STREAM });
  private readonly backlogs = new BacklogBudget(BACKLOG_BYTES);
  /** Where channels were in the last round. */
  private seen = new Map<Channel, StreamId>();
  private readonly looks = new Looks(CHECK_MS, () => this.checkQuiet().catch(this.parts.onError));

  constructor(private readonly parts: FeedParts) {}

  start(): void {
    const { subscriber } = this.parts;
    subscriber.onMessage((name, message) => {
      const channel = this.channels.get(name);
      if (channel !== undefined) channel.take(new StreamMessage(decodePublished(message)));
    });
    subscriber.onRecovered(() => {
      for (const channel of this.channels.values()) channel.recover();
    });
    this.looks.start();
  }

  /** @param instance undefined: the events of all instances */
  channel(instance: string | undefined): Channel {
    const keys = streamKeys(this.parts.prefix, instance);
    return this.channels.get(keys.stream) ?? this.createChannel(keys);
  }

  /** Asks whether something was published to streams that were quiet since the last time. */
  async checkQuiet(): Promise<void> {
    const live = [...this.channels.values()].filter(({ state }) => state === 'live');
    const quiet = live.filter((channel) => this.seen.get(channel) === channel.end);
    this.seen = new Map(live.map((channel) => [channel, channel.end]));
    for (let first = 0; first < quiet.length; first += STREAMS_A_QUESTION) {
      await this.check(quiet.slice(first, first + STREAMS_A_QUESTION));
    }
  }

  close(): void {
    void this.looks.stop();
    for (const channel of this.channels.values()) channel.close();
    this.channels.clear();
  }

  private async check(channels: readonly Channel[]): Promise<void> {
    const before = channels.map(({ end }) => end);
    const ends = await this.parts.reader.ends(channels.map(({ keys }) => keys));
    for (const [index, channel] of channels.entries()) {
      const isQuiet = channel.end === before[index];
      if (isQuiet && channel.end !== ends[index]) channel.recover();
    }
  }

  private createChannel(keys: StreamKeys): Channel {
    const { reader, subscriber, held, onError } = this.parts;
    const channel: Channel = new Channel({
      keys,
      reader,
      inTurn: (work) => this.turns.run(keys.stream, work),
      createBacklog: () => new Backlog(this.backlogs),
      subscribe: () => subscriber.subscribe(keys.stream),
      onSent: (of, bytes) => held.add(of, bytes),
      onEmpty: () => {
        this.channels.delete(keys.stream);
        held.forget(channel);
        subscriber.unsubscribe(keys.stream).catch(onError);
      },
      onError,
    });
    this.channels.set(keys.stream, channel);
    return channel;
  }
}
