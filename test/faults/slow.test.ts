import { Scenario } from '../support/harness/scenario';
import { answering } from '../support/servers/receiver';

jest.setTimeout(120_000);

describe('a slow receiver', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('that answers long after the source message was released gets each event exactly once', async () => {
    const concurrency = 500;
    scenario = await Scenario.start({
      env: {
        DELIVERY_SLOW_AFTER_MS: '200',
        DELIVERY_CONCURRENCY_PER_DESTINATION: String(concurrency),
      },
    });
    const { receiver } = scenario;
    receiver.behaviour = answering(200, 1500);
    const worker = await scenario.startWorker();
    await scenario.publish(2000, 1000);
    await scenario.untilAllAccepted(90_000);
    expect(await worker.total('relay_parked_total')).toBeGreaterThan(concurrency);
    const { duplicates, audit } = await scenario.conclude('receiver takes 1.5 s');
    expect(duplicates).toBe(0);
    expect(audit).toMatchObject({ accepted: 2000, delivered: 2000, parked: 0 });
  });

  test('keeps its answers when the worker drains: what was parked as slow is withdrawn', async () => {
    scenario = await Scenario.start({ env: { DELIVERY_SLOW_AFTER_MS: '200' } });
    const { receiver } = scenario;
    receiver.behaviour = answering(200, 1000);
    const first = await scenario.startWorker();
    const publishing = scenario.publish(2000, 2000);
    const slow = 'relay_parked_total{destination="webhook",reason="slow"}';
    await first.until(async () => (await first.metric(slow)) >= 30, 30_000, 'slow deliveries parked');
    first.signal('SIGTERM');
    expect(await first.ended(15_000)).toEqual({ code: 0, signal: null });
    expect((await scenario.audit()).delivered).toBeGreaterThanOrEqual(30);
    receiver.behaviour = answering(200);
    await scenario.startWorker();
    await publishing;
    const { duplicates } = await scenario.conclude('SIGTERM while requests are slow');
    expect(duplicates).toBe(0);
  });
});
