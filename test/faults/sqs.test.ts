import { setTimeout as delay } from 'node:timers/promises';
import { PrivateRedis } from '../support/private-services';
import { everyNth } from '../support/receiver';
import { Scenario } from '../support/scenario';
import { SqsBroker, type SqsBrokerOptions } from '../support/sqs-broker';
import { PrivateSqs } from '../support/sqs-service';

jest.setTimeout(180_000);

const OUTAGE_MS = 20_000;

describe('SQS as the source', () => {
  let service: PrivateSqs;
  let scenario: Scenario<SqsBroker>;

  beforeAll(async () => {
    service = await PrivateSqs.start();
  });
  afterAll(() => service.stop());
  let redis: PrivateRedis | undefined;
  afterEach(async () => {
    await scenario.close();
    await redis?.dispose();
    redis = undefined;
  });

  const start = async (
    options: SqsBrokerOptions & { readonly redis?: string; readonly env?: Record<string, string> } = {},
  ): Promise<Scenario<SqsBroker>> => {
    scenario = await Scenario.on((name) => SqsBroker.open(service, name, options), options);
    return scenario;
  };

  /** Nothing stays at the queue, not even hidden. */
  const untilNothingLeft = async (): Promise<void> => {
    const deadline = Date.now() + 15_000;
    while ((await scenario.broker.left()) > 0) {
      if (Date.now() > deadline) throw new Error(`${await scenario.broker.left()} messages are left`);
      await delay(100);
    }
  };

  test('a worker killed in full flight: what it held comes again', async () => {
    await start();
    scenario.receiver.behaviour = everyNth(5, 1, { status: 503 });
    const first = await scenario.startWorker();
    const publishing = scenario.publish(2500, 700);
    await scenario.untilAccepted(700);
    await first.kill();
    await scenario.audit();
    const second = await scenario.startWorker();
    await scenario.untilAccepted(1400);
    await second.kill();
    await scenario.startWorker();
    await publishing;
    await untilNothingLeft();
    await scenario.conclude('SQS: kill -9');
  });

  test('the endpoint away for 20 s: the worker says so, comes back by itself, and loses nothing', async () => {
    await start();
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(2500, 100);
    await scenario.untilAccepted(300);
    await scenario.broker.proxy.goOffline();
    await worker.until(async () => (await worker.readiness()).status === 503, 15_000, 'not ready');
    expect((await worker.readiness()).body).toContain('waiting for sqs');
    await delay(OUTAGE_MS);
    await scenario.broker.proxy.goOnline();
    await worker.untilReady();
    await publishing;
    await untilNothingLeft();
    await scenario.conclude('SQS: endpoint away for 20 s');
  });

  test('one delete in ten fails: it is tried again, and nothing is delivered twice', async () => {
    await start();
    let entries = 0;
    scenario.broker.proxy.intercept = ({ action, body }) => {
      if (action !== 'DeleteMessageBatch') return undefined;
      const all = (body['Entries'] as { Id: string }[]).map(({ Id }) => ({
        Id,
        fails: ++entries % 10 === 0,
      }));
      const failing = all.filter(({ fails }) => fails);
      if (failing.length === 0) return undefined;
      // None of the batch is deleted: those that are said to be come again, as after an answer that was lost.
      return {
        status: 200,
        body: {
          Successful: all.filter(({ fails }) => !fails).map(({ Id }) => ({ Id })),
          Failed: failing.map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' })),
        },
      };
    };
    await scenario.startWorker();
    await scenario.publish(1000, 500);
    await scenario.untilAllAccepted();
    scenario.broker.proxy.intercept = () => undefined;
    await untilNothingLeft();
    const { duplicates } = await scenario.conclude('SQS: 10 % of deletes fail, others are lost');
    expect(duplicates).toBe(0);
  });

  test('leases that would run out because Redis is away are extended: nothing is delivered by a second worker', async () => {
    redis = await PrivateRedis.start();
    await start({ redis: redis.uri, env: { SQS_PREFETCH: '50' } });
    scenario.receiver.behaviour = everyNth(4, 1, { status: 503 });
    await scenario.startWorker();
    const publishing = scenario.publish(1000, 200);
    await scenario.untilAccepted(200);
    await redis.stop();
    // Three times as long as messages are hidden.
    await delay(15_000);
    await redis.restart();
    await publishing;
    await untilNothingLeft();
    const { duplicates } = await scenario.conclude('SQS: Redis away for longer than a lease');
    expect(duplicates).toBe(0);
  });

  test('a frozen worker whose leases ran out: the other one delivers, and nothing is lost', async () => {
    await start();
    const frozen = await scenario.startWorker();
    const publishing = scenario.publish(1500, 300);
    await scenario.untilAccepted(300);
    frozen.signal('SIGSTOP');
    await scenario.startWorker();
    await delay(8000);
    frozen.signal('SIGCONT');
    await publishing;
    await untilNothingLeft();
    await scenario.conclude('SQS: worker frozen for 8 s');
  });

  test('malformed bodies are dead-lettered, and events beside them delivered', async () => {
    await start();
    await scenario.startWorker();
    const bad = ['not JSON', '{"event":"messages.upsert"', '[]', '{"data":1}', 'null'];
    await Promise.all(bad.map((body) => scenario.broker.admin.send(scenario.broker.queueUrl, body)));
    await scenario.publish(200);
    await scenario.untilAllAccepted();
    const { dead } = await scenario.untilAudited((line) => line.dead === bad.length, 'none');
    // The queue's own name says which event it is, and of which instance: `{"data":1}` is one.
    expect(dead).toBe(bad.length);
    await untilNothingLeft();
  });

  test('a message group with an event that is dead-lettered goes on, in order', async () => {
    await start({ suffix: '.fifo', groupOf: () => 'evolution' });
    const order: string[] = [];
    const refused = 7;
    scenario.receiver.behaviour = ({ key }) => {
      if (key.endsWith(`-${refused}`)) return { status: 422 };
      order.push(key);
      return { status: 200 };
    };
    await scenario.startWorker();
    await scenario.publish(40);
    await scenario.untilAccepted(39);
    expect(order).toEqual(scenario.published.filter((key) => !key.endsWith(`-${refused}`)));
    const { dead } = await scenario.untilAudited((line) => line.dead === 1);
    expect(dead).toBe(1);
    await untilNothingLeft();
  });
});
