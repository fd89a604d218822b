import { DestinationList } from '../../src/health/destination-list';
import { type DestinationId, destinationKey, type Outcome } from '../../src/pipeline/delivery';
import { DashboardClient } from '../support/clients/dashboard-client';
import { GatewayHarness } from '../support/harness/gateway-harness';
import { HealthHarness } from '../support/harness/health-harness';
import { DELIVERED, FAILED, FakeDestination, REJECTED } from '../support/harness/pipeline-harness';
import { Scenario, WEBHOOK } from '../support/harness/scenario';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { answering, ok } from '../support/servers/receiver';
import { eventually } from '../support/signals/signals';

jest.setTimeout(120_000);

const TOKEN = 'token-of-the-shop-1234';
const ID = 'webhook:instance/loja' as DestinationId;
const BEGAN = 'rejecting HTTP_404 404 http://receiver.test/hook';
const ENDED = 'rejecting over: delivered http://receiver.test/hook';

let store: StoreHarness;
let workers: HealthHarness[];
let now: number;
beforeEach(async () => {
  store = await StoreHarness.open();
  workers = [];
  now = 0;
});
afterEach(async () => {
  await Promise.all(workers.map(({ board }) => board.stop()));
  await Promise.all(workers.map(({ rejections }) => rejections.stop()));
  await store.close();
});

function worker(): HealthHarness {
  const made = new HealthHarness(store.store, { openMs: 60_000, now: () => now });
  made.board.start();
  workers.push(made);
  return made;
}
/** Enough of them to say so. */
function reject(at: HealthHarness, outcome: Outcome = REJECTED): void {
  for (let count = 0; count < 3; count++) {
    at.attempt(ID, outcome);
    now += 10_000;
  }
}
const statesAt = (at: HealthHarness): string[] => at.board.records.map(({ state }) => state);
const untilStates = (at: HealthHarness, ...states: string[]): Promise<true> =>
  eventually(() => (statesAt(at).join() === states.join() ? true : undefined), `states ${states.join()}`);
const untilLogged = (at: HealthHarness, line: string): Promise<true> =>
  eventually(() => (at.log.all.includes(line) ? true : undefined), line);
const shown = async (): Promise<Record<string, unknown>> => ({
  ...(await new DestinationList(store.store).show(ID)),
});
/** As if the time had passed in which it is not said again. */
const passPause = (): Promise<unknown> => store.withRedis((redis) => redis.del(said()));
/** As if no time passed. */
const holdPause = (): Promise<unknown> => store.withRedis((redis) => redis.pexpire(said(), 10_000));
const said = (): string => `{${store.prefix}}:rejecting-said:${destinationKey(ID)}`;

describe('a destination that rejects everything', () => {
  test('is known to all workers once one of them has seen enough, and the first delivery of any ends it', async () => {
    const [one, other] = [worker(), worker()];
    reject(one);
    await untilStates(other, 'rejecting');
    const late = worker();
    await untilStates(late, 'rejecting');
    expect(await shown()).toMatchObject({
      ...{ id: ID, state: 'rejecting', code: 'HTTP_404', status: 404, waiting: 0 },
      address: 'http://receiver.test/hook',
    });
    other.attempt(ID, DELIVERED);
    for (const each of workers) await untilStates(each);
    await untilLogged(other, ENDED);
    expect([one.log.all, other.log.all, late.log.all]).toEqual([[BEGAN], [ENDED], []]);
    expect((await new DestinationList(store.store).page({ limit: 10 })).destinations).toEqual([]);
  });

  test('is said by one worker alone, and since when it did the first time', async () => {
    const [one, other] = [worker(), worker()];
    reject(one);
    await untilLogged(one, BEGAN);
    const { since } = await shown();
    reject(other);
    await untilStates(other, 'rejecting');
    await passPause();
    // Another answer: it is shown, and is no news.
    reject(one, { kind: 'rejected', code: 'HTTP_401', status: 401 });
    await eventually(
      () => (other.rejections.recordOf(ID)?.status === 401 ? true : undefined),
      'the other answer',
    );
    expect(await shown()).toMatchObject({ since, code: 'HTTP_401', status: 401 });
    expect([one.log.all, other.log.all]).toEqual([[BEGAN], []]);
  });

  test('that takes some events changes no more than once in ten seconds, at however many workers', async () => {
    const [one, other] = [worker(), worker()];
    for (let round = 0; round < 5; round++) {
      reject(one);
      await one.rejections.stop();
      await holdPause();
      await one.board.poll();
      one.attempt(ID, DELIVERED);
      await one.rejections.stop();
      reject(other);
      await other.rejections.stop();
      other.attempt(ID, DELIVERED);
      await other.rejections.stop();
    }
    expect([one.log.all, other.log.all]).toEqual([[BEGAN, ENDED], []]);
    await passPause();
    reject(other);
    await untilLogged(other, BEGAN);
  });

  test('is attempted as ever: nothing that makes attempts finds anything, in this version or an earlier one', async () => {
    const one = worker();
    const destination = new FakeDestination(ID);
    reject(one);
    await untilStates(one, 'rejecting');
    expect(one.circuit(ID).isOpen).toBe(false);
    expect(await store.withRedis((redis) => redis.hlen(`{${store.prefix}}:health`))).toBe(0);
    expect(await store.store.call('relayClaimProbe', destinationKey(ID), 'worker', 1000)).toBe(-1);
    const [delivery] = deliveries(destination, 1);
    if (delivery === undefined) throw new Error('no delivery');
    await store.park(delivery, {
      ...{ decision: { kind: 'in-line' }, reason: 'saturated', attemptsMade: 0, history: [] },
    });
    expect(await shown()).toMatchObject({ state: 'rejecting', waiting: 1 });
    expect(await store.store.dueCount()).toBe(1);
  });

  test('and then fails is failing, for as long as it fails; a person who suspends it wins', async () => {
    const one = worker();
    reject(one);
    await untilStates(one, 'rejecting');
    await one.fail(ID, FAILED);
    await untilStates(one, 'failing');
    // Since it fails, not since it rejected everything: that is what suspends it after days.
    const failing = await shown();
    expect(failing).toMatchObject({ state: 'failing', code: 'TIMEOUT' });
    expect(Number(failing['since'])).toBeGreaterThan(Date.now() - 20_000);
    await store.store.call('relayWell', destinationKey(ID), 0);
    await untilStates(one, 'rejecting');
    const list = new DestinationList(store.store);
    expect(await list.suspend(ID)).toBe(true);
    await untilStates(one, 'suspended');
    expect(await list.show(ID)).toMatchObject({ state: 'suspended', by: 'person' });
    expect(await list.resume(ID)).toBe(true);
    await untilStates(one);
    expect(one.circuit(ID).isOpen).toBe(false);
  });

  test('is another one at another address, and is forgotten once it is removed', async () => {
    const one = worker();
    reject(one);
    await untilStates(one, 'rejecting');
    one.endpoints.settingsChanged(undefined);
    one.endpoint = { shown: 'http://receiver.test/other', print: 'bbbb' };
    one.endpoints.settingsChanged(undefined);
    await untilStates(one);
    await untilLogged(one, 'rejecting over: changed http://receiver.test/hook');
    await passPause();
    reject(one);
    await untilStates(one, 'rejecting');
    one.endpoint = undefined;
    one.endpoints.settingsChanged(undefined);
    await untilStates(one);
    expect(one.log.all).toHaveLength(3);
  });

  test('is forgotten where Redis lost it', async () => {
    const one = worker();
    reject(one);
    await untilStates(one, 'rejecting');
    await store.withRedis((redis) => redis.del(`{${store.prefix}}:rejecting`));
    one.board.readAnew();
    await untilStates(one);
  });
});

test('at the gateway and in the dashboard it is a state of its own, with what it answers and what to do', async () => {
  const one = worker();
  reject(one);
  await untilLogged(one, BEGAN);
  const gateway = await GatewayHarness.start({ REDIS_PREFIX_KEY: store.prefix });
  try {
    const list = await gateway.ask('GET', '/destinations?state=rejecting');
    expect(list.body).toMatchObject({
      destinations: [{ id: ID, state: 'rejecting', code: 'HTTP_404', status: 404, waiting: 0 }],
      total: 1,
    });
    expect((await gateway.ask('GET', '/destinations?state=well')).body).toMatchObject({ total: 0 });
    const operator = await DashboardClient.logIn(gateway.gateway.gatewayPort);
    const portuguese = { 'accept-language': 'pt-BR' };
    const own = `/dashboard/destinations/${encodeURIComponent(ID)}`;
    const rows = (await operator.get('/dashboard/destinations?state=rejecting', portuguese)).text;
    expect(rows).toMatch(/loja · webhook.*<span class="badge rejecting">recusando<\/span>.*HTTP_404/s);
    expect((await operator.get('/dashboard/destinations?state=well')).text).not.toContain('loja');
    const detail = (await operator.get(own)).text;
    expect(detail).toContain('It rejects every event: they become dead letters.');
    // It is attempted as ever: there is nothing to resume.
    expect([detail.includes(`${own}/suspend`), detail.includes(`${own}/resume`)]).toEqual([true, false]);
    await gateway.ask('POST', '/settings/set/loja', {
      body: { token: TOKEN, webhook: { enabled: true, url: 'http://93.184.216.34/hook' } },
    });
    const tenant = await DashboardClient.logIn(gateway.gateway.gatewayPort, TOKEN, 'loja');
    expect((await tenant.get('/dashboard', portuguese)).text).toMatch(
      /<p class="sentence bad">.*loja · webhook<\/a> recusa todos os eventos desde .*\(HTTP_404\)/s,
    );
  } finally {
    await gateway.close();
  }
});

test('a worker says of an endpoint that answers 404 that it rejects everything, makes dead letters of its events, and says when it takes them again', async () => {
  const scenario = await Scenario.start();
  try {
    scenario.receiver.behaviour = answering(404);
    const relay = await scenario.startWorker();
    const list = async (...args: string[]): Promise<string> =>
      (await scenario.command('destinations', 'ls', '--json', ...args)).stdout;
    const line = (): string | undefined =>
      relay.log.split('\n').find((each) => each.includes('destination rejects everything'));
    // Three a second, for as long as it takes to say so.
    for (let second = 0; second < 60 && line() === undefined; second++) await scenario.publish(3, 3);
    expect(JSON.parse(line() ?? '{}')).toMatchObject({
      ...{ level: 'warn', destination: WEBHOOK, code: 'HTTP_404', status: 404 },
      address: expect.stringMatching(/^http:/),
    });
    expect(JSON.parse(await list('--state', 'rejecting'))).toMatchObject({
      ...{ id: WEBHOOK, state: 'rejecting', code: 'HTTP_404', status: 404, waiting: 0 },
    });
    await relay.until(
      async () => (await relay.metric('relay_destinations{state="rejecting"}')) === 1,
      30_000,
      'the metric',
    );
    expect(await relay.metric('relay_circuits_open')).toBe(0);
    const refused = scenario.published.length;
    await scenario.untilAudited(({ dead, parked }) => dead === refused && parked === 0);
    scenario.receiver.behaviour = ok;
    await scenario.publish(1);
    await relay.untilLogged('destination recovered: it took a delivery');
    expect(await list('--state', 'rejecting')).toBe('');
    expect(relay.log.match(/destination rejects everything/g)).toHaveLength(1);
    // As a person does once the workflow is switched on.
    await scenario.command('dead-letters', 'replay', '--all');
    await scenario.untilAllAccepted();
  } finally {
    await scenario.close();
  }
});
