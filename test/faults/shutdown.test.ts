import { Scenario } from '../support/harness/scenario';
import type { Behaviour } from '../support/servers/receiver';
import { everyNth } from '../support/servers/receiver';

jest.setTimeout(120_000);

describe('SIGTERM', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('in full flight with two workers, one after the other replaced: nothing lost, nothing sent twice', async () => {
    scenario = await Scenario.start({ env: { DELIVERY_SLOW_AFTER_MS: '200' } });
    const { receiver } = scenario;
    const failing = everyNth(7, 1, { status: 503 });
    const slow = everyNth(11, 1, { status: 200, afterMs: 400 });
    // Most take 20 ms, so that many are under way at any moment; some fail, some are slow enough to be parked.
    const behaviour: Behaviour = (arrival) => {
      const bad = [failing, slow].map((choose) => choose(arrival)).find((answer) => !isPlain(answer));
      return bad ?? { status: 200, afterMs: 20 };
    };
    receiver.behaviour = behaviour;
    const [first, second] = await Promise.all([scenario.startWorker(), scenario.startWorker()]);
    const publishing = scenario.publish(3000, 700);

    await scenario.untilAccepted(700);
    first.signal('SIGTERM');
    expect(await first.ended(15_000)).toEqual({ code: 0, signal: null });
    expect(receiver.distinct).toBeLessThan(3000);
    await scenario.startWorker();
    await scenario.untilAccepted(1600);
    second.signal('SIGTERM');
    expect(await second.ended(15_000)).toEqual({ code: 0, signal: null });

    await publishing;
    const { duplicates, audit } = await scenario.conclude('SIGTERM with two workers');
    expect(duplicates).toBe(0);
    expect(audit).toMatchObject({ accepted: 3000, delivered: 3000 });
  });

  test('twice ends the worker at once, and nothing is lost', async () => {
    scenario = await Scenario.start();
    const { receiver } = scenario;
    receiver.behaviour = () => 'hang';
    const worker = await scenario.startWorker();
    await scenario.publish(2000);
    await receiver.until(() => receiver.arrivals >= 20, 30_000, '20 requests');
    worker.signal('SIGTERM');
    await worker.untilLogged('"draining"');
    expect(worker.isRunning).toBe(true);
    worker.signal('SIGTERM');
    // The drain would wait for 15 s for those that hang.
    expect(await worker.ended(10_000)).toEqual({ code: 1, signal: null });

    receiver.behaviour = () => ({ status: 200 });
    await scenario.startWorker();
    await scenario.conclude('SIGTERM twice');
  });
});

function isPlain(answer: ReturnType<Behaviour>): boolean {
  return typeof answer === 'object' && answer.status === 200 && !answer.afterMs;
}
