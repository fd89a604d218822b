import { Redis } from 'ioredis';
import { provided } from '../support/harness/provided';
import { Scenario } from '../support/harness/scenario';
import type { RelayProcess } from '../support/processes/relay';
import { everyNth } from '../support/servers/receiver';
import { eventually } from '../support/signals/signals';

jest.setTimeout(180_000);

describe('a worker killed in full flight', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('loses nothing: what it held comes again, what it parked fires', async () => {
    scenario = await Scenario.start();
    scenario.receiver.behaviour = everyNth(5, 1, { status: 503 });
    const first = await scenario.startWorker();
    const publishing = scenario.publish(2500, 1000);
    await scenario.untilAccepted(700);
    await first.kill();
    // It balances at any moment: what was not counted was not settled either.
    await scenario.audit();
    const second = await scenario.startWorker();
    await scenario.untilAccepted(1500);
    await second.kill();
    await scenario.startWorker();
    await scenario.audit();
    await publishing;
    await scenario.conclude('kill -9');
  });

  test('loses nothing of what was parked as slow while its requests hung', async () => {
    scenario = await Scenario.start({
      env: { DELIVERY_SLOW_AFTER_MS: '200', WEBHOOK_REQUEST_TIMEOUT_MS: '1000' },
    });
    const { receiver } = scenario;
    const hanging = everyNth(3, 1, 'hang');
    receiver.behaviour = hanging;
    const first = await scenario.startWorker();
    const publishing = scenario.publish(2000, 1000);
    await first.until(
      async () => (await first.metric('relay_parked_total{destination="webhook",reason="slow"}')) >= 20,
      30_000,
      'slow deliveries parked',
    );
    await first.kill();
    receiver.behaviour = () => ({ status: 200 });
    await scenario.startWorker();
    await publishing;
    await scenario.conclude('kill -9 while requests hang');
    const replayed = [...receiver.tallies.values()].filter(({ arrivals }) => arrivals > 1);
    expect(replayed.length).toBeGreaterThanOrEqual(20);
  });

  /** Events that hang at their first attempt, and others that do at their second one; the request's time limit is far away. */
  const HANGING = {
    DELIVERY_SLOW_AFTER_MS: '500',
    WEBHOOK_REQUEST_TIMEOUT_MS: '120000',
    CIRCUIT_FAILURES: '1000',
  };
  const COUNT = 40;

  /** One worker, and a second one that has nothing to do: all that hangs does so at the first one, and is stored as slow. */
  async function startHanging(): Promise<{ first: RelayProcess; second: RelayProcess }> {
    scenario = await Scenario.start({ env: HANGING });
    const { receiver } = scenario;
    const fails = everyNth(2, 1, 'reset');
    let hanging = 0;
    receiver.behaviour = (arrival) => {
      if (fails(arrival) === 'reset') return 'reset';
      hanging++;
      return 'hang';
    };
    const first = await scenario.startWorker();
    await scenario.publish(COUNT);
    await receiver.until(() => hanging === COUNT, 60_000, 'all of them hang');
    await first.until(async () => (await slowOnes()) === COUNT, 30_000, 'all of them stored as slow');
    receiver.behaviour = () => ({ status: 200 });
    return { first, second: await scenario.startWorker() };
  }

  const redis = async <T>(work: (redis: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(provided('REDIS_URI'));
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  };

  /** Deliveries that workers have under way while they lie in the store. */
  const slowOnes = (): Promise<number> =>
    redis(async (client) => {
      const counts = (await client.keys(`{${scenario.name}}:slow:*`)).map((key) => client.zcard(key));
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    });

  test('holds up nothing that hung there, direct attempts or retries: the other one makes it long before the time limit', async () => {
    const { first } = await startHanging();
    const killedAt = Date.now();
    await first.kill();
    await scenario.untilAllAccepted(90_000);
    const seconds = Math.round((Date.now() - killedAt) / 1000);
    process.stdout.write(
      `fault kill -9 while requests hang beside another worker: all made after ${seconds} s\n`,
    );
    await scenario.conclude('kill -9 while requests hang, beside another worker');
    expect(Math.max(...[...scenario.receiver.tallies.values()].map(({ arrivals }) => arrivals))).toBe(3);
  });

  test('is one that is gone: what hangs at a frozen one is made by no other before its time limit', async () => {
    const { first } = await startHanging();
    const { arrivals } = scenario.receiver;
    first.signal('SIGSTOP');
    await eventually(
      async () => {
        const said = await redis((client) =>
          client.zrange(`{${scenario.name}}:present`, '0', '-1', 'WITHSCORES'),
        );
        const [earliest, latest] = [Number(said[1]), Number(said.at(-1))];
        return latest - earliest > 25_000 ? true : undefined;
      },
      'the other one has looked again and again',
      90_000,
    );
    expect(scenario.receiver.arrivals).toBe(arrivals);
    first.signal('SIGCONT');
    await first.untilReady();
    expect(await slowOnes()).toBe(COUNT);
  });
});
