import { Scenario } from '../support/harness/scenario';
import { everyNth } from '../support/servers/receiver';

jest.setTimeout(120_000);

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
});
