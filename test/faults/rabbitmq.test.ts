import { provided } from '../support/harness/provided';
import { Scenario } from '../support/harness/scenario';
import { AmqpProxy } from '../support/proxies/amqp-proxy';
import { PrivateRabbit } from '../support/servers/private-services';
import { answering, everyNth } from '../support/servers/receiver';

jest.setTimeout(180_000);

describe('RabbitMQ stopped and started in full flight', () => {
  let rabbit: PrivateRabbit;
  let scenario: Scenario;

  beforeAll(async () => {
    rabbit = await PrivateRabbit.start();
  });

  afterAll(async () => {
    try {
      await scenario.close();
    } finally {
      await rabbit.dispose();
    }
  });

  test('loses nothing: the worker comes back by itself, and what it held comes again', async () => {
    scenario = await Scenario.start({ rabbit: rabbit.uri });
    scenario.receiver.behaviour = everyNth(5, 1, { status: 503 });
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(2500, 500);

    await scenario.untilAccepted(600);
    await rabbit.stop();
    await worker.until(async () => (await worker.readiness()).status === 503, 20_000, 'not ready');
    expect((await worker.readiness()).body).toContain('waiting for the broker');
    await rabbit.restart();
    await worker.untilReady(60_000);

    await publishing;
    await scenario.conclude('RabbitMQ stopped and started');
  });
});

describe('a worker that loses its connection while another one keeps its own', () => {
  /** Requests that each worker has under way at once. */
  const UNDER_WAY = 4;
  let amqp: AmqpProxy;
  let scenario: Scenario;

  beforeAll(async () => {
    amqp = await AmqpProxy.start(provided('RABBITMQ_URI'));
  });

  afterAll(async () => {
    try {
      await scenario.close();
    } finally {
      await amqp.goOffline();
    }
  });

  test('repeats what was under way at most: what waits for its turn goes to the other one untouched', async () => {
    const env = { WEBHOOK_GLOBAL_CONCURRENCY: String(UNDER_WAY), DELIVERY_SLOW_AFTER_MS: '5000' };
    scenario = await Scenario.start({ env });
    scenario.receiver.behaviour = answering(200, 500);
    await scenario.startWorker({ RABBITMQ_URI: amqp.uri });
    await scenario.publish(300);
    await scenario.untilAccepted(UNDER_WAY);
    await scenario.startWorker();
    amqp.cut();
    scenario.receiver.behaviour = answering(200, 50);
    const { duplicates } = await scenario.conclude('connection of one of two workers cut');
    // Those, and as many whose acknowledgement was under way.
    expect(duplicates).toBeLessThanOrEqual(2 * UNDER_WAY);
  });
});
