import { GatewayHarness } from '../support/harness/gateway-harness';
import { HealthHarness } from '../support/harness/health-harness';
import { FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';

const IN_LINE = {
  decision: { kind: 'in-line' },
  reason: 'circuit-open',
  attemptsMade: 0,
  history: [],
} as const;

let store: StoreHarness;
let gateway: GatewayHarness;
let worker: HealthHarness;
const failing = new FakeDestination('webhook:instance/failing');
const waiting = new FakeDestination('webhook:instance/waiting');
const global = new FakeDestination('webhook:global');

beforeAll(async () => {
  store = await StoreHarness.open();
  gateway = await GatewayHarness.start({ REDIS_PREFIX_KEY: store.prefix });
  worker = new HealthHarness(store.store);
  worker.board.start();
  for (const delivery of deliveries(failing, 3)) await store.park(delivery, IN_LINE);
  for (const delivery of deliveries(waiting, 2, 10)) await store.park(delivery, IN_LINE);
  for (const delivery of deliveries(global, 1, 20)) await store.park(delivery, IN_LINE);
  await worker.fail(failing.id, FAILED);
  await worker.log.count(1);
});
afterAll(async () => {
  await worker.board.stop();
  await gateway.close();
  await store.close();
});

interface Row {
  readonly id: string;
  readonly state: string;
  readonly waiting: number;
}
const list = async (query = ''): Promise<{ destinations: Row[]; total: number }> => {
  const { status, body } = await gateway.ask('GET', `/destinations${query}`);
  expect(status).toBe(200);
  return body as { destinations: Row[]; total: number };
};
const path = (id: string): string => `/destinations/${encodeURIComponent(id)}`;
const seenByWorker = (isOpen: boolean): Promise<true> =>
  eventually(() => (worker.circuit(global.id).isOpen === isOpen ? true : undefined), `open: ${isOpen}`);

describe('destinations at the gateway', () => {
  test('are listed worst first, page by page, with what failed last and how many wait', async () => {
    const { destinations, total } = await list();
    expect(total).toBe(3);
    expect(destinations.map(({ id, state, waiting: count }) => [id, state, count])).toEqual([
      [failing.id, 'failing', 3],
      [waiting.id, 'waiting', 2],
      [global.id, 'waiting', 1],
    ]);
    expect(destinations[0]).toMatchObject({
      code: 'TIMEOUT',
      address: 'http://receiver.test/hook',
      since: expect.stringMatching(/Z$/),
      oldest: expect.stringMatching(/Z$/),
    });
    expect((await list('?limit=1&offset=1')).destinations.map(({ id }) => id)).toEqual([waiting.id]);
    expect((await list('?instance=waiting')).destinations.map(({ id }) => id)).toEqual([waiting.id]);
    expect((await list('?state=failing')).total).toBe(1);
    expect((await gateway.ask('GET', '/destinations?state=odd')).status).toBe(400);
    expect((await gateway.ask('GET', path(failing.id))).body).toMatchObject({ id: failing.id, waiting: 3 });
    expect((await gateway.ask('GET', path('webhook:instance/nobody'))).status).toBe(404);
  });

  test('are suspended and resumed by a person, which every worker knows within a second', async () => {
    worker.circuit(global.id);
    expect((await gateway.ask('POST', `${path(global.id)}/suspend`)).status).toBe(200);
    await seenByWorker(true);
    expect(worker.circuit(global.id).obstacle).toBe('suspended');
    expect((await list()).destinations[0]).toMatchObject({ id: global.id, state: 'suspended', by: 'person' });
    expect((await gateway.ask('POST', `${path(global.id)}/resume`)).status).toBe(200);
    await seenByWorker(false);
    expect((await gateway.ask('POST', `${path('webhook:nobody')}/suspend`)).status).toBe(404);
  });

  test('of an instance are open to its own token, and those of others are not', async () => {
    const body = { instanceName: 'waiting', token: 'token-of-waiting' };
    expect((await gateway.ask('POST', '/instance/create', { body })).status).toBe(201);
    const own = { key: 'token-of-waiting' };
    expect((await gateway.ask('GET', '/destinations?instance=waiting', own)).status).toBe(200);
    expect((await gateway.ask('GET', path(waiting.id), own)).status).toBe(200);
    expect((await gateway.ask('POST', `${path(waiting.id)}/resume`, own)).status).toBe(200);
    for (const at of ['/destinations', '/destinations?instance=failing', path(failing.id), path(global.id)])
      expect((await gateway.ask('GET', at, own)).status).toBe(401);
    expect((await gateway.ask('POST', `${path(failing.id)}/resume`, own)).status).toBe(401);
  });

  test('are for the operator: a key that is none sees and changes nothing', async () => {
    const stranger = { key: 'stranger' };
    for (const [method, at] of [
      ['GET', '/destinations'],
      ['GET', '/destinations?instance=waiting'],
      ['GET', path(waiting.id)],
      ['POST', `${path(waiting.id)}/suspend`],
      ['POST', `${path(global.id)}/resume`],
    ] as const)
      expect((await gateway.ask(method, at, stranger)).status).toBe(401);
  });
});
