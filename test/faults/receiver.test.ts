import { Scenario } from '../support/harness/scenario';
import type { Environment } from '../support/processes/relay';
import { type Behaviour, ok } from '../support/servers/receiver';

jest.setTimeout(180_000);

const PROBES = 3;
/** As many failures open the circuit, so that nearly all bad requests come at once, and a few one by one. */
const CIRCUIT_FAILURES = 60;
const BAD_REQUESTS = 62;

const IMPATIENT: Environment = { WEBHOOK_REQUEST_TIMEOUT_MS: '1000', DELIVERY_SLOW_AFTER_MS: '300' };

const faults: readonly { name: string; behaviour: Behaviour; env: Environment }[] = [
  { name: 'answers 500', behaviour: () => ({ status: 500 }), env: {} },
  { name: 'resets connections', behaviour: () => 'reset', env: {} },
  { name: 'hangs past the timeout', behaviour: () => 'hang', env: IMPATIENT },
  { name: 'answers without end', behaviour: () => 'endless', env: IMPATIENT },
];

describe('a receiver that', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('is down until its open circuit was tried again and again in vain', async () => {
    scenario = await Scenario.start();
    const { receiver } = scenario;
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(2500, 300);
    await scenario.untilAccepted(500);
    await receiver.down();
    await worker.untilProbed(PROBES);
    await receiver.up();
    await publishing;
    await scenario.conclude('receiver down');
  });

  test.each(faults)('$name, and is well again', async ({ name, behaviour, env }) => {
    scenario = await Scenario.start({ env: { ...env, CIRCUIT_FAILURES: String(CIRCUIT_FAILURES) } });
    const { receiver } = scenario;
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(2000, 800);
    await scenario.untilAccepted(300);
    receiver.behaviour = behaviour;
    const until = receiver.arrivals + BAD_REQUESTS;
    await receiver.until(
      () => receiver.arrivals >= until,
      60_000,
      `${BAD_REQUESTS} requests while it ${name}`,
    );
    receiver.behaviour = ok;
    await publishing;
    await scenario.conclude(`receiver ${name}`);
    expect(worker.isRunning).toBe(false);
  });
});
