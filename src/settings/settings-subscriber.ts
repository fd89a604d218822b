import type { Subscriptions } from '../redis/subscriber';

/** The channel of changed settings: instances by their names. */
export interface SettingsSubscriber {
  subscribe(channel: string): Promise<unknown>;
  onMessage(listener: (channel: string, message: string) => void): void;
  /** `listener` is called whenever messages may have been missed, and once where it is connected already. */
  onRecovered(listener: () => void): void;
}

export function subscriberOf(subscriptions: Subscriptions): SettingsSubscriber {
  return {
    subscribe: (channel) => subscriptions.subscribe(channel),
    onMessage: (listener) =>
      subscriptions.onMessage((channel, message) => listener(channel, message.toString())),
    onRecovered: (listener) => subscriptions.onRecovered(listener),
  };
}
