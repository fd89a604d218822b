import { Scenario } from '../support/harness/scenario';
import { PASSWORD, PrivateSentinel } from '../support/servers/private-redis';
import { everyNth } from '../support/servers/receiver';

jest.setTimeout(240_000);

const EVENTS = 1200;

describe('a Redis behind Sentinels under load', () => {
  let sentinel: PrivateSentinel;
  let scenario: Scenario;

  beforeEach(async () => {
    sentinel = await PrivateSentinel.start();
    scenario = await Scenario.start({
      env: {
        REDIS_URI: `redis://:${encodeURIComponent(PASSWORD)}@nowhere.invalid`,
        REDIS_SENTINELS: sentinel.sentinels,
        REDIS_SENTINEL_NAME: sentinel.group,
        REDIS_SENTINEL_PASSWORD: PASSWORD,
      },
    });
    scenario.receiver.behaviour = everyNth(2, 1, { status: 503 });
  });
  afterEach(async () => {
    try {
      await scenario.close();
    } finally {
      await sentinel.dispose();
    }
  });

  test('goes on with the new master while the old one is frozen (finding 3.22)', async () => {
    await scenario.startWorker();
    const publishing = scenario.publish(EVENTS, 100);
    await scenario.untilAccepted(100);
    const frozen = await sentinel.freezeMaster();
    try {
      await publishing;
      await scenario.untilAllAccepted(60_000);
    } finally {
      sentinel.thaw(frozen);
    }
    await scenario.conclude('Sentinel: master frozen');
  });

  test('REDIS_WAIT_REPLICAS: a planned fail-over while parking loses nothing (finding 3.22)', async () => {
    await scenario.startWorker({ REDIS_WAIT_REPLICAS: '1' });
    const publishing = scenario.publish(EVENTS, 100);
    await scenario.untilAccepted(100);
    await sentinel.failOver();
    await publishing;
    await scenario.conclude('Sentinel: planned fail-over, one replica waited for', 90_000);
  });
});
