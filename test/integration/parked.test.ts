import { GatewayHarness } from '../support/harness/gateway-harness';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { runCommand } from '../support/processes/command';
import { deliveryTo, eventBody } from '../support/values/events';
import { folderWith } from '../support/values/folders';

const destination = new FakeDestination('webhook:global');
const MANY = 1200;

let store: StoreHarness;
let folder: ReturnType<typeof folderWith>;
beforeAll(async () => {
  folder = folderWith();
  store = await StoreHarness.open();
  const failed = { kind: 'failed', code: 'HTTP_503', status: 503 } as const;
  await store.park(deliveryTo(destination, eventBody(1, { event: 'call', instance: 'loja-norte' })), {
    attemptsMade: 1,
    history: [{ attempt: 1, at: Date.now(), durationMs: 5, outcome: failed }],
  });
  await Promise.all(
    Array.from({ length: MANY }, (_, index) =>
      store.park(deliveryTo(destination, eventBody(100 + index)), { attemptsMade: 0, history: [] }),
    ),
  );
});
afterAll(async () => {
  folder.remove();
  await store.close();
});

const run = (...args: readonly string[]) =>
  runCommand(['parked', ...args], { REDIS_URI: store.uri, REDIS_PREFIX_KEY: store.prefix }, folder.path);

describe('parked deliveries can be listed, with the filters of dead letters (finding 7.3)', () => {
  test('by the command: every one of them once, over as many pages as it takes', async () => {
    const { code, stdout } = await run('ls', '--json', '--limit', '5000');
    const ids = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect([code, new Set(ids).size, ids.length]).toEqual([0, MANY + 1, MANY + 1]);
  });

  test('what a filter chooses, with its attempts and the code of the last one', async () => {
    for (const filter of [
      ['--instance', 'loja-norte'],
      ['--event', 'CALL'],
      ['--reason', 'HTTP_503'],
    ]) {
      const { stdout } = await run('ls', '--json', ...filter);
      expect(JSON.parse(stdout)).toMatchObject({
        instance: 'loja-norte',
        event: 'call',
        destination: 'webhook:global',
        reason: 'HTTP_503',
        attempts: 1,
        at: expect.any(Number),
      });
    }
    expect((await run('ls', '--until', '1h', '--json')).stdout).toBe('');
    const { stdout } = await run('ls', '--reason', 'untried', '--limit', '2');
    expect(stdout.trim().split('\n')).toHaveLength(3);
  });

  test('over HTTP, for the operator alone', async () => {
    const harness = await GatewayHarness.start({ REDIS_PREFIX_KEY: store.prefix });
    try {
      const answer = await harness.ask('GET', '/parked?limit=3&destination=webhook:global');
      expect([answer.status, answer.body]).toMatchObject([200, { more: true }]);
      const { parked } = answer.body as { parked: object[] };
      expect(parked).toHaveLength(3);
      expect(parked[0]).toMatchObject({
        instance: 'loja-centro',
        reason: 'untried',
        dueAt: expect.any(String),
      });
      expect((await harness.ask('GET', '/parked?reason=nothing')).status).toBe(400);
      expect((await harness.ask('GET', '/parked', { key: null })).status).toBe(401);
    } finally {
      await harness.close();
    }
  });
});
