import { setTimeout as delay } from 'node:timers/promises';
import { Scenario } from '../support/harness/scenario';
import { SqsBroker, type SqsBrokerOptions } from '../support/harness/sqs-broker';
import type { SqsCall } from '../support/proxies/sqs-proxy';
import { PrivateRedis } from '../support/servers/private-services';
import { everyNth } from '../support/servers/receiver';
import { PrivateSqs } from '../support/servers/sqs-service';

jest.setTimeout(180_000);

/** Connections that are tried in vain: those of some polls in turn, each of which waits for longer than the one before. */
const KNOCKS = 12;

interface Extension {
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

interface Received {
  readonly Attributes: { readonly ApproximateReceiveCount: string };
}

/** Receipts whose leases a call extends. */
function extendedBy({ action, body }: SqsCall): string[] {
  if (action !== 'ChangeMessageVisibilityBatch') return [];
  const entries = body['Entries'] as Extension[];
  return entries.flatMap((entry) => (entry.VisibilityTimeout > 0 ? entry.ReceiptHandle : []));
}

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

  /** Until the lease of one message was extended so many times. */
  const untilExtended = async (times: number): Promise<void> => {
    const { calls } = scenario.broker.proxy;
    const extensions = new Map<string, number>();
    for (let seen = 0; Math.max(0, ...extensions.values()) < times; ) {
      const all = await calls.count(seen + 1, 30_000);
      for (const handle of all.slice(seen).flatMap(extendedBy)) {
        extensions.set(handle, (extensions.get(handle) ?? 0) + 1);
      }
      seen = all.length;
    }
  };

  /** Resolves when a message is handed out once more. */
  const untilReceivedAgain = (): Promise<void> =>
    new Promise((resolve) => {
      scenario.broker.proxy.rewrite = ({ action }, answer) => {
        const messages = action === 'ReceiveMessage' ? ((answer['Messages'] ?? []) as Received[]) : [];
        if (messages.some(({ Attributes }) => Number(Attributes.ApproximateReceiveCount) > 1)) resolve();
        return answer;
      };
    });

  test('a worker killed in full flight: what it held comes again', async () => {
    await start();
    scenario.receiver.behaviour = everyNth(5, 1, { status: 503 });
    const first = await scenario.startWorker();
    const publishing = scenario.publish(1500, 500);
    await scenario.untilAccepted(400);
    await first.kill();
    await scenario.audit();
    const second = await scenario.startWorker();
    await scenario.untilAccepted(800);
    await second.kill();
    await scenario.startWorker();
    await publishing;
    await untilNothingLeft();
    await scenario.conclude('SQS: kill -9');
  });

  test('the endpoint away until all polls failed again and again: the worker says so, comes back by itself, and loses nothing', async () => {
    await start();
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(1500, 150);
    await scenario.untilAccepted(300);
    await scenario.broker.proxy.goOffline();
    await worker.until(async () => (await worker.readiness()).status === 503, 15_000, 'not ready');
    expect((await worker.readiness()).body).toContain('waiting for sqs');
    await scenario.broker.proxy.hangUp();
    await scenario.broker.proxy.knocks.count(KNOCKS, 60_000);
    await scenario.broker.proxy.goOnline();
    await worker.untilReady();
    await publishing;
    await untilNothingLeft();
    await scenario.conclude('SQS: endpoint away');
  });

  test('the endpoint says nothing: the worker says so, ends in time, and loses nothing (finding 9.1)', async () => {
    await start();
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(600, 200);
    await scenario.untilAccepted(200);
    scenario.broker.proxy.intercept = () => 'silence';
    await worker.until(async () => (await worker.readiness()).status === 503, 30_000, 'not ready');
    expect((await worker.readiness()).body).toContain('waiting for sqs: SQS_SILENT');
    const stoppedAt = Date.now();
    await scenario.stopWorkers();
    expect(Date.now() - stoppedAt).toBeLessThan(20_000);
    scenario.broker.proxy.intercept = () => undefined;
    await scenario.startWorker();
    await publishing;
    await untilNothingLeft();
    await scenario.conclude('SQS: endpoint silent');
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
    // Each time half of a lease is over: three times as long as messages are hidden without it.
    await untilExtended(6);
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
    const received = untilReceivedAgain();
    await scenario.startWorker();
    await received;
    frozen.signal('SIGCONT');
    await publishing;
    await untilNothingLeft();
    await scenario.conclude('SQS: worker frozen until its leases ran out');
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
