import type { Cluster, Redis } from 'ioredis';

/** A connection that only listens, to any number of channels. */
export interface StreamSubscriber {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  onMessage(listener: (channel: string, message: Buffer) => void): void;
  /** Messages may have been missed until now, for whatever reason; what comes from here on is heard. */
  onRecovered(listener: () => void): void;
}

export function streamSubscriber(redis: Redis | Cluster): StreamSubscriber {
  return {
    subscribe: (channel) => redis.subscribe(channel),
    unsubscribe: (channel) => redis.unsubscribe(channel),
    onMessage: (listener) =>
      redis.on('messageBuffer', (channel: Buffer, message: Buffer) =>
        listener(channel.toString('utf8'), message),
      ),
    onRecovered: (listener) => {
      redis.on('ready', listener);
      // A Cluster moves its subscriptions to another node by itself.
      redis.on('+subscriber', listener);
    },
  };
}
