import { randomBytes } from 'node:crypto';
import { RedisDeduplication } from '../../src/deduplication/redis-deduplication';
import type { EventId } from '../../src/events/event-id';
import { RelayRedis } from '../../src/redis/relay-redis';
import { RetryStore } from '../../src/retry/retry-store';
import { messageEvents } from '../support/clients/publisher';
import { RabbitBroker } from '../support/harness/rabbit-broker';
import { Scenario } from '../support/harness/scenario';
import { asText, SqsBroker } from '../support/harness/sqs-broker';
import { PrivateSqs } from '../support/servers/sqs-service';
import { eventually, turns, within } from '../support/signals/signals';

jest.setTimeout(120_000);

const EVENT = 'event-1' as EventId;

describe('copies of an event', () => {
  let redis: RelayRedis;
  let store: RetryStore;
  let made: RedisDeduplication[];

  beforeEach(async () => {
    redis = new RelayRedis(String(process.env['REDIS_URI']));
    store = new RetryStore({ redis, prefix: `dedup-${randomBytes(6).toString('hex')}`, onError: () => {} });
    await store.waitUntilReady();
    made = [];
  });
  afterEach(async () => {
    for (const each of made) await each.close();
    const keys = await redis.keys(`${store.prefix}:*`);
    if (keys.length > 0) await redis.unlink(...keys);
    await store.close();
    redis.disconnect();
  });

  const worker = (options: { rememberMs?: number; leaseMs?: number } = {}): RedisDeduplication => {
    const each = new RedisDeduplication({ store, rememberMs: 60_000, onError: () => {}, ...options });
    made.push(each);
    return each;
  };
  /** What a claim became by now. */
  const stateOf = (claim: Promise<string>): { now: string } => {
    const state = { now: 'waiting' };
    claim.then(
      (answer) => {
        state.now = answer;
      },
      () => {
        state.now = 'rejected';
      },
    );
    return state;
  };

  test.each([
    ['at one worker', (one: RedisDeduplication) => one],
    ['at two workers', () => worker()],
  ])('%s: the second waits for the first, and is seen once that is accepted', async (_where, anotherOf) => {
    const one = worker();
    expect(await one.claim(EVENT)).toBe('fresh');
    const second = anotherOf(one).claim(EVENT);
    const state = stateOf(second);
    await redis.ping();
    await turns();
    expect(state.now).toBe('waiting');
    one.done(EVENT);
    expect(await second).toBe('seen');
  });

  test('asked for in the same turn: one is fresh', async () => {
    const one = worker();
    const claims = [1, 2, 3].map(() => one.claim(EVENT));
    expect(await Promise.race(claims)).toBe('fresh');
    one.done(EVENT);
    expect((await Promise.all(claims)).sort()).toEqual(['fresh', 'seen', 'seen']);
  });

  test('a copy that goes back to its broker lets another one go on, at the same worker and at others', async () => {
    const [one, two] = [worker(), worker()];
    expect(await one.claim(EVENT)).toBe('fresh');
    const others = [one.claim(EVENT), two.claim(EVENT)];
    one.released(EVENT);
    expect(await Promise.race(others)).toBe('fresh');
  });

  test('a worker that is gone keeps its claim no longer than its lease; one that lives renews it', async () => {
    const [gone, living, next] = [worker({ leaseMs: 400 }), worker({ leaseMs: 400 }), worker()];
    const other = 'event-2' as EventId;
    expect([await gone.claim(EVENT), await living.claim(other)]).toEqual(['fresh', 'fresh']);
    // Its timers end, and nothing is given back.
    await gone.close();
    const waiting = stateOf(next.claim(other));
    expect(await within(next.claim(EVENT), 15_000, () => 'the lease ends')).toBe('fresh');
    expect(waiting.now).toBe('waiting');
    living.done(other);
    await eventually(() => (waiting.now === 'seen' ? true : undefined), 'seen');
  });

  test('what was accepted is forgotten after its time', async () => {
    const one = worker({ rememberMs: 300 });
    await one.claim(EVENT);
    one.done(EVENT);
    expect(await one.claim(EVENT)).toBe('seen');
    await eventually(
      async () => ((await redis.keys(`${store.prefix}:seen:*`)).length === 0 ? true : undefined),
      'forgotten',
    );
    expect(await one.claim(EVENT)).toBe('fresh');
  });

  test('draining: who waits gives up, who holds a claim can still end it', async () => {
    const [one, two] = [worker(), worker()];
    await one.claim(EVENT);
    const waiting = [one.claim(EVENT), two.claim(EVENT)];
    const states = waiting.map(stateOf);
    one.drain();
    two.drain();
    await Promise.allSettled(waiting);
    expect(states.map(({ now }) => now)).toEqual(['rejected', 'rejected']);
    one.done(EVENT);
    await one.close();
    expect(await worker().claim(EVENT)).toBe('seen');
  });
});

describe('RabbitMQ and SQS at once', () => {
  let service: PrivateSqs;
  let scenario: Scenario<SqsBroker>;
  let rabbit: RabbitBroker;

  beforeAll(async () => {
    service = await PrivateSqs.start();
  });
  afterAll(() => service.stop());
  afterEach(async () => {
    await scenario.close();
    await rabbit.close();
  });

  test('two workers, both copies of every event at the same time: each is delivered once', async () => {
    scenario = await Scenario.on((name) => {
      rabbit = new RabbitBroker(String(process.env['RABBITMQ_URI']), name);
      return SqsBroker.open(service, name);
    });
    const env = { ...rabbit.env, DEDUPLICATION_SECONDS: '300' };
    const workers = [await scenario.startWorker(env), await scenario.startWorker(env)];
    const events = messageEvents(scenario.name, 1000).map((event) => {
      const body = Buffer.from(asText(event.body()));
      return { ...event, body: () => body };
    });
    await Promise.all([scenario.publishEvents(events, 500), rabbit.publish(events, 500)]);
    await scenario.untilAllAccepted();
    const seen = async (): Promise<number> => {
      const totals = await Promise.all(workers.map((each) => each.total('relay_events_duplicate_total')));
      return totals.reduce((sum, total) => sum + total, 0);
    };
    // More where a busy machine lets a message's lease run out: it comes a third time then, and is seen as well.
    // A third one may be counted before the second of another event: both queues must be empty, too.
    await eventually(async () => ((await seen()) >= events.length ? true : undefined), 'every second copy');
    const isEmpty = async (): Promise<boolean> =>
      (await rabbit.queueLength()) + (await scenario.queueLength()) === 0;
    await eventually(async () => ((await isEmpty()) ? true : undefined), 'both queues empty');
    const { duplicates, audit } = await scenario.conclude('both sources at once');
    expect([duplicates, audit.accepted]).toEqual([0, events.length]);
  });
});
