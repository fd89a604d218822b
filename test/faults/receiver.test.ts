import { type Behaviour, ok } from '../support/receiver';
import { Scenario } from '../support/scenario';

jest.setTimeout(180_000);

const OUTAGE_MS = 10_000;

/** Each outage lasts from the 300th event to so many requests that it answered badly. */
const BAD_REQUESTS = 60;

const faults: readonly { name: string; behaviour: Behaviour; duplicatesAllowed: boolean }[] = [
  { name: 'answers 500', behaviour: () => ({ status: 500 }), duplicatesAllowed: false },
  { name: 'resets connections', behaviour: () => 'reset', duplicatesAllowed: false },
  { name: 'hangs past the timeout', behaviour: () => 'hang', duplicatesAllowed: false },
  { name: 'answers without end', behaviour: () => 'endless', duplicatesAllowed: false },
];

describe('a receiver that', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('is down for 10 s', async () => {
    scenario = await Scenario.start();
    const { receiver } = scenario;
    await scenario.startWorker();
    const publishing = scenario.publish(2500, 300);
    await scenario.untilAccepted(500);
    await receiver.down();
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    await receiver.up();
    await publishing;
    await scenario.conclude('receiver down for 10 s');
  });

  test.each(faults)('$name, and is well again', async ({ name, behaviour, duplicatesAllowed }) => {
    scenario = await Scenario.start({
      env: { WEBHOOK_REQUEST_TIMEOUT_MS: '600', DELIVERY_SLOW_AFTER_MS: '200', CIRCUIT_FAILURES: '40' },
    });
    const { receiver } = scenario;
    await scenario.startWorker();
    const publishing = scenario.publish(2000, 800);
    await scenario.untilAccepted(300);
    receiver.behaviour = behaviour;
    const goodRequests = receiver.arrivals;
    await receiver.until(
      () => receiver.arrivals >= goodRequests + BAD_REQUESTS,
      60_000,
      `${BAD_REQUESTS} requests while it ${name}`,
    );
    receiver.behaviour = ok;
    await publishing;
    const { duplicates } = await scenario.conclude(`receiver ${name}`);
    if (!duplicatesAllowed) expect(duplicates).toBe(0);
  });
});
