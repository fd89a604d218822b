import { Scenario } from '../support/harness/scenario';
import { PrivateRabbit } from '../support/servers/private-services';
import { everyNth } from '../support/servers/receiver';

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
