import { EventEmitter } from 'node:events';
import type { RelayRedis } from '../../../src/redis/relay-redis';
import { Subscriber } from '../../../src/redis/subscriber';
import { type Deferred, deferred, turns } from '../../support/signals/signals';

/** A connection whose answers are given by the test. */
class FakeRedis extends EventEmitter {
  status = 'ready';
  stream = {};
  readonly confirmations: Deferred<void>[] = [];

  subscribe(): Promise<void> {
    const confirmation = { ...deferred<void>() };
    this.confirmations.push(confirmation);
    return confirmation.promise;
  }

  disconnect(): void {
    this.emit('close');
  }
}

describe('a subscriber', () => {
  let redis: FakeRedis;
  let subscriber: Subscriber;
  let seen: string[];

  beforeEach(() => {
    redis = new FakeRedis();
    seen = [];
    subscriber = new Subscriber({
      redis: redis as unknown as RelayRedis,
      publish: async () => 1,
      pulseChannel: 'pulse',
      onError: () => {},
    });
    subscriber.onMessage((channel, message) => seen.push(`${channel} ${message}`));
    subscriber.onRecovered(() => seen.push('recovered'));
  });
  afterEach(() => subscriber.close());

  const hear = (text: string): boolean => redis.emit('messageBuffer', Buffer.from('news'), Buffer.from(text));
  const confirm = async (): Promise<void> => {
    redis.confirmations.shift()?.resolve();
    await turns();
  };

  test('hands on no message of a new subscription before it tells that some were missed (finding 3.21)', async () => {
    redis.emit('ready');
    hear('too early');
    await confirm();
    hear('later');
    expect(seen).toEqual(['recovered', 'news later']);
  });

  test('tells it after every connection, and at once to a listener that comes later', async () => {
    redis.emit('ready');
    await confirm();
    redis.emit('close');
    redis.stream = {};
    redis.emit('ready');
    await confirm();
    subscriber.onRecovered(() => seen.push('told at once'));
    expect(seen).toEqual(['recovered', 'recovered', 'told at once']);
  });
});
