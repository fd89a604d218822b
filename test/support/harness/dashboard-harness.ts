import { FlowStore } from '../../../src/ledger/flow-store';
import { DashboardClient } from '../clients/dashboard-client';
import { GatewayHarness } from './gateway-harness';
import { HealthHarness } from './health-harness';
import { FAILED, FakeDestination } from './pipeline-harness';
import { deliveries, StoreHarness } from './store-harness';

export const READ_KEY = 'a-key-that-only-reads';
export const TOKEN = 'token-of-the-shop-1234';
export const EVIL = '<script>alert(1)</script>';
export const IN_LINE = {
  decision: { kind: 'in-line' },
  reason: 'circuit-open',
  attemptsMade: 0,
  history: [],
} as const;
export const failing = new FakeDestination('webhook:instance/loja');
export const evil = new FakeDestination(`webhook:instance/${encodeURIComponent(EVIL)}`);
export const failingPath = `/dashboard/destinations/${encodeURIComponent(failing.id)}`;

/** A gateway with a destination that fails, one with a name that is HTML, and whoever may log in. */
export async function startDashboard() {
  const store = await StoreHarness.open();
  const gateway = await GatewayHarness.start({
    REDIS_PREFIX_KEY: store.prefix,
    DASHBOARD_READ_KEY: READ_KEY,
    CORS_ORIGIN: 'https://panel.example.com',
    CORS_CREDENTIALS: 'true',
  });
  const worker = new HealthHarness(store.store);
  worker.board.start();
  for (const delivery of deliveries(failing, 3)) await store.park(delivery, IN_LINE);
  for (const delivery of deliveries(evil, 2, 10)) await store.park(delivery, IN_LINE);
  await worker.fail(failing.id, FAILED);
  await worker.log.count(1);
  await new FlowStore(store.store).report(5, [{ queue: 'relay', messages: 7, consumers: 1 }]);
  await gateway.ask('POST', '/settings/set/loja', {
    body: { token: TOKEN, webhook: { enabled: true, url: 'http://93.184.216.34/hook' } },
  });
  const port = gateway.gateway.gatewayPort;
  const [operator, reader, tenant] = await Promise.all([
    DashboardClient.logIn(port),
    DashboardClient.logIn(port, READ_KEY),
    DashboardClient.logIn(port, TOKEN, 'loja'),
  ]);
  /** As the gateway has it. */
  const stateOf = async (id: string): Promise<string> => {
    const { body } = await gateway.ask('GET', `/destinations/${encodeURIComponent(id)}`);
    return (body as { state: string }).state;
  };
  const close = async (): Promise<void> => {
    await worker.board.stop();
    await gateway.close();
    await store.close();
  };
  return { store, gateway, worker, operator, reader, tenant, stateOf, close };
}
