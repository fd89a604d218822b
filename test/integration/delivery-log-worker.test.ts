import { ask } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import { answering, ok } from '../support/servers/receiver';
import { eventually } from '../support/signals/signals';

jest.setTimeout(120_000);

const API_KEY = 'operator-key-of-the-tests';
const WAIT_MS = 30_000;

interface Shown {
  readonly id: string;
  readonly outcome: string;
  readonly instance: string;
  readonly message: string;
  readonly attempts: number;
}

interface Answer {
  readonly deliveries: readonly Shown[];
  readonly answer?: string;
  readonly covers: { readonly since: string | null };
}

describe('"where is my message?"', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('is answered by gateway and command: what a receiver refused, and took in the end', async () => {
    scenario = await Scenario.start({ env: { AUTHENTICATION_API_KEY: API_KEY, CIRCUIT_FAILURES: '1000' } });
    scenario.receiver.behaviour = answering(503);
    const relay = await scenario.startBoth();
    await scenario.publish(3);
    await scenario.receiver.until(() => scenario.receiver.arrivals >= 6, WAIT_MS, 'six refused attempts');
    scenario.receiver.behaviour = ok;
    await scenario.untilAllAccepted();
    const get = async (path: string, key = API_KEY) => ask(relay.gatewayPort, 'GET', path, { key });
    const search = async (query: string): Promise<Answer> =>
      (await get(`/deliveries?${query}`)).body as Answer;

    const { deliveries } = await eventually(async () => {
      const found = await search('outcome=delivered');
      return found.deliveries.length === 3 ? found : undefined;
    }, 'three deliveries in the log');
    const [first] = deliveries;
    if (first === undefined) throw new Error('no delivery');
    expect(first.attempts).toBeGreaterThan(1);
    const byMessage = await search(`message=${first.message}&instance=${encodeURIComponent(first.instance)}`);
    expect(byMessage.deliveries.map(({ id }) => id)).toEqual([first.id]);
    const story = (await get(`/deliveries/${first.id}`)).body as {
      history: { what: string; status: number }[];
    };
    expect(story.history[0]).toMatchObject({ what: 'failed', status: 503 });
    expect(story.history.at(-1)).toMatchObject({ what: 'delivered', status: 200 });

    const unknown = await search('message=NEVER');
    expect(unknown).toMatchObject({
      deliveries: [],
      answer: expect.stringContaining('not seen by the relay since'),
    });
    expect((await get(`/deliveries?message=${'x'.repeat(10_000)}`)).status).toBe(400);
    expect((await get('/deliveries?since=3650d&until=0s')).status).toBe(200);
    expect((await get('/deliveries?outcome=lost')).status).toBe(400);
    for (const misspelt of ['event=mesages.upsert', 'destination=webhok:global'])
      expect((await get(`/deliveries?${misspelt}`)).status).toBe(400);
    expect((await get('/deliveries?destination=webhook:instance/nobody&reason=ANY_CODE')).status).toBe(200);
    expect((await get('/deliveries', 'wrong')).status).toBe(401);
    expect((await get(`/deliveries/${first.id}?instance=nobody`)).status).toBe(404);

    const ls = await scenario.command('deliveries', 'ls', '--message', first.message);
    expect(ls.stdout).toContain(first.id);
    const shown = await scenario.command('deliveries', 'show', first.id);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: first.id, outcome: 'delivered' });
    const nothing = await scenario.command('deliveries', 'ls', '--message', 'NEVER');
    expect([nothing.code, nothing.stdout]).toEqual([0, '']);
    expect(nothing.stderr).toContain('not seen by the relay since');
    expect((await scenario.command('deliveries', 'show', 'dlv_none')).code).toBe(1);
  });

  test('an instance’s token sees its own deliveries only, and no answers of the operator’s endpoint', async () => {
    scenario = await Scenario.start({ env: { AUTHENTICATION_API_KEY: API_KEY, CIRCUIT_FAILURES: '1000' } });
    scenario.receiver.behaviour = answering(503);
    const relay = await scenario.startBoth();
    await scenario.publish(1);
    const own = async (path: string, key: string) => ask(relay.gatewayPort, 'GET', path, { key });
    const found = await eventually(async () => {
      const { body } = await own('/deliveries', API_KEY);
      return (body as Answer).deliveries[0];
    }, 'the delivery');
    const name = encodeURIComponent(found.instance);
    const token = { token: 'token-of-the-instance' };
    const body = { instanceName: found.instance, ...token };
    const set = await ask(relay.gatewayPort, 'POST', '/instance/create', { key: API_KEY, body });
    expect(set.status).toBeLessThan(300);
    const mine = await own(`/deliveries?instance=${name}`, token.token);
    expect([mine.status, (mine.body as Answer).deliveries.length]).toEqual([200, 1]);
    expect((await own('/deliveries', token.token)).status).toBe(401);
    expect((await own('/deliveries?instance=other', token.token)).status).toBe(401);
    expect((await own(`/deliveries/${found.id}?instance=${name}`, token.token)).status).toBe(200);
  });
});

describe('what was delivered', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('is delivered again by a replay, where its body was kept, under the same webhook-id', async () => {
    scenario = await Scenario.start({ env: { DELIVERY_LOG_BODIES: 'true' } });
    await scenario.startWorker();
    await scenario.publish(5);
    await scenario.untilAllAccepted();
    const preview = await eventually(async () => {
      const { stdout } = await scenario.command('deliveries', 'replay', '--since', '1h', '--preview');
      return stdout.includes('would replay 5') ? stdout : undefined;
    }, 'five in the log');
    expect(preview).not.toContain('cannot');
    const replayed = await scenario.command('deliveries', 'replay', '--destination', 'webhook:global');
    expect([replayed.code, replayed.stdout]).toEqual([0, 'replayed 5\n']);
    const { receiver } = scenario;
    const tallies = (): number[] => [...receiver.tallies.values()].map(({ accepted }) => accepted);
    await receiver.until(
      () => tallies().every((accepted) => accepted === 2),
      WAIT_MS,
      'each delivered twice',
    );
    for (const { webhookIds } of receiver.tallies.values()) expect(webhookIds.size).toBe(1);
    await scenario.untilAudited(
      ({ accepted, delivered, difference }) => accepted === 10 && delivered === 10 && difference === 0,
    );
    const { stdout } = await scenario.command('replays', 'ls');
    expect(stdout).toContain('done');
    expect((await scenario.command('replays', 'cancel', 'rpl_none')).code).toBe(1);
  });
});
