import type { RedisClient } from '../redis/scripts';

/** A connection that only listens. */
export interface SettingsSubscriber {
  subscribe(channel: string): Promise<unknown>;
  onMessage(listener: (channel: string, message: string) => void): void;
  /** `listener` is called whenever messages may have been missed, and once where it is connected already. */
  onRecovered(listener: () => void): void;
}

export function subscriberOf(redis: RedisClient): SettingsSubscriber {
  return {
    subscribe: (channel) => redis.subscribe(channel),
    onMessage: (listener) => {
      redis.on('message', listener);
    },
    onRecovered: (listener) => {
      redis.on('ready', listener);
      if (redis.status === 'ready') listener();
    },
  };
}
