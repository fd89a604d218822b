import { bulkhead } from 'cockatiel';
import type { Cluster, Redis } from 'ioredis';
import { decodePublished, streamKeys } from '../../destinations/websocket/stream';
import type { Subscriptions } from '../../redis/subscriber';
import { Channel } from './stream-channel';
import { StreamMessage } from './stream-message';
import { StreamReader } from './stream-reader';

export interface FeedParts {
  readonly subscriber: Subscriptions;
  /** Reads what clients missed. */
  readonly redis: Redis | Cluster;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly onError: (error: unknown) => void;
}

const REPLAYS_AT_ONCE = 16;

/** Everything that is published for the clients of this gateway. Listens only to streams that somebody follows. */
export class Feed {
  private readonly channels = new Map<string, Channel>();
  private readonly reader: StreamReader;
  private readonly replays = bulkhead(REPLAYS_AT_ONCE, Number.POSITIVE_INFINITY);

  constructor(private readonly parts: FeedParts) {
    this.reader = new StreamReader(parts.redis);
  }

  start(): void {
    const { subscriber } = this.parts;
    subscriber.onMessage((name, message) => {
      const channel = this.channels.get(name);
      if (channel !== undefined) channel.take(new StreamMessage(decodePublished(message)));
    });
    subscriber.onRecovered(() => {
      for (const channel of this.channels.values()) channel.resume();
    });
  }

  /** @param instance undefined: the events of all instances */
  channel(instance: string | undefined): Channel {
    const keys = streamKeys(this.parts.prefix, instance);
    const known = this.channels.get(keys.stream);
    if (known !== undefined) return known;
    const { subscriber, onError } = this.parts;
    const channel = new Channel({
      keys,
      reader: this.reader,
      inTurn: (work) => this.replays.execute(work),
      subscribe: () => subscriber.subscribe(keys.stream),
      onEmpty: () => {
        this.channels.delete(keys.stream);
        subscriber.unsubscribe(keys.stream).catch(onError);
      },
      onError,
    });
    this.channels.set(keys.stream, channel);
    return channel;
  }

  close(): void {
    for (const channel of this.channels.values()) channel.close();
    this.channels.clear();
  }
}
