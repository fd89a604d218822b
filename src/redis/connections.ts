import { randomBytes } from 'node:crypto';
import type { RedisConfig } from '../config/redis';
import { connectRedis, type RedisPurpose } from './client';
import type { RelayRedis } from './relay-redis';
import { Subscriber } from './subscriber';

export interface RedisConnectionsParts {
  readonly config: RedisConfig;
  readonly onError: (error: unknown) => void;
}

/** The connections of one process: opened by purpose, closed together. */
export class RedisConnections {
  /** For everything that is asked and answered at once. */
  readonly commands: RelayRedis;
  private readonly opened: { readonly close: () => void }[] = [];

  constructor(private readonly parts: RedisConnectionsParts) {
    this.commands = this.open('commands');
  }

  /** One that others do not wait behind. */
  open(purpose: Exclude<RedisPurpose, 'subscriber'>): RelayRedis {
    return this.connect(purpose);
  }

  subscriber(): Subscriber {
    const { config, onError } = this.parts;
    const subscriber = new Subscriber({
      redis: this.connect('subscriber'),
      publish: (channel, message) => this.commands.publish(channel, message),
      pulseChannel: `{${config.prefix}}:pulse:${randomBytes(9).toString('base64url')}`,
      onError,
    });
    this.opened.push(subscriber);
    return subscriber;
  }

  close(): void {
    for (const connection of this.opened.splice(0)) connection.close();
  }

  private connect(purpose: RedisPurpose): RelayRedis {
    const { config, onError } = this.parts;
    const redis = connectRedis(config, purpose, onError);
    this.opened.push({ close: () => redis.disconnect() });
    return redis;
  }
}
