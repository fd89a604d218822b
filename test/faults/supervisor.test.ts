import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_KEY, ask } from '../support/harness/gateway-harness';
import { Scenario, WEBHOOK } from '../support/harness/scenario';
import { runProcess } from '../support/processes/command';
import { freePort } from '../support/processes/ports';
import type { RelayProcess } from '../support/processes/relay';
import { eventually } from '../support/signals/signals';
import { folderWith } from '../support/values/folders';

jest.setTimeout(180_000);

const folder = folderWith();
afterAll(folder.remove);

interface Line {
  readonly message: string;
  readonly worker?: number;
  readonly pid?: number;
}

const linesOf = ({ log }: RelayProcess): Line[] =>
  log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const pidsOf = (supervisor: RelayProcess): number[] =>
  linesOf(supervisor).flatMap(({ message, pid }) => (message === 'worker process' ? (pid ?? []) : []));

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const allGone = (pids: readonly number[]): Promise<true> =>
  eventually(() => (pids.some(lives) ? undefined : true), 'every worker is gone', 60_000);

describe('worker --processes', () => {
  let scenario: Scenario;
  beforeEach(async () => {
    scenario = await Scenario.start();
  });
  afterEach(() => scenario.close());

  test('one of three is killed in the midst of events: it is replaced, lost 0, and no counter falls', async () => {
    const supervisor = await scenario.startSupervised(3);
    await scenario.publish(600);
    await scenario.untilAllAccepted();
    const delivered = (): Promise<number> => supervisor.total('relay_deliveries_total');
    await eventually(async () => ((await delivered()) >= 600 ? true : undefined), 'all are counted');
    const [, second = 0] = pidsOf(supervisor);
    const publishing = scenario.publish(600, 300);
    process.kill(second, 'SIGKILL');
    await publishing;
    await scenario.untilAllAccepted();
    expect(await delivered()).toBeGreaterThanOrEqual(600);
    await eventually(() => (pidsOf(supervisor).length === 4 ? true : undefined), 'it is replaced');
    await supervisor.untilReady();
    expect(await supervisor.metric('relay_worker_restarts_total')).toBe(1);
    expect(await supervisor.metric('relay_worker_processes{state="running"}')).toBe(3);
    const pids = pidsOf(supervisor);
    await scenario.conclude('one of three workers is killed');
    await allGone(pids);
  });

  test('what all workers read from one place is not added up, and every line of the log says whose it is', async () => {
    const supervisor = await scenario.startSupervised(2);
    scenario.receiver.behaviour = () => ({ status: 503 });
    await scenario.publish(20);
    const parked = 'relay_retry_queue_depth';
    await eventually(
      async () => ((await supervisor.total(parked)) === 20 ? true : undefined),
      'twenty are parked, and shown once',
      60_000,
    );
    scenario.receiver.behaviour = () => ({ status: 200 });
    await scenario.untilAllAccepted();
    const workers = linesOf(supervisor).filter(({ message }) => message === 'worker started');
    expect(workers.map(({ worker }) => worker).sort()).toEqual([1, 2]);
  });

  test('two signals to all processes of the group end all at once, and nothing is lost: exit 1', async () => {
    const supervisor = await scenario.startSupervised(2);
    scenario.receiver.behaviour = () => ({ status: 200, afterMs: 300 });
    await scenario.publish(200);
    supervisor.signalGroup('SIGTERM');
    supervisor.signalGroup('SIGINT');
    expect(await supervisor.ended(30_000)).toEqual({ code: 1, signal: null });
    await allGone(pidsOf(supervisor));
    scenario.receiver.behaviour = () => ({ status: 200 });
    await scenario.startWorker();
    await scenario.conclude('two signals to all processes of a supervisor');
  });

  test('one SIGTERM to all processes, as systemd and terminals send it, drains all: exit 0', async () => {
    const supervisor = await scenario.startSupervised(2);
    scenario.receiver.behaviour = () => ({ status: 200, afterMs: 200 });
    await scenario.publish(200);
    supervisor.signalGroup('SIGTERM');
    expect(await supervisor.ended(30_000)).toEqual({ code: 0, signal: null });
    await allGone(pidsOf(supervisor));
    scenario.receiver.behaviour = () => ({ status: 200 });
    await scenario.startWorker();
    const { duplicates } = await scenario.conclude('a drain of two supervised workers');
    expect(duplicates).toBe(0);
  });

  test('a second signal ends all at once: exit 1', async () => {
    const supervisor = await scenario.startSupervised(2, { SHUTDOWN_TIMEOUT_SECONDS: '120' });
    scenario.receiver.behaviour = () => 'hang';
    await scenario.publish(10);
    await scenario.receiver.until(() => scenario.receiver.arrivals >= 10, 30_000, 'all hang');
    supervisor.signal('SIGTERM');
    await eventually(() => (supervisor.log.includes('"signal"') ? true : undefined), 'it drains');
    supervisor.signal('SIGTERM');
    expect(await supervisor.ended(30_000)).toEqual({ code: 1, signal: null });
    await allGone(pidsOf(supervisor));
    scenario.receiver.behaviour = () => ({ status: 200 });
    await scenario.startWorker();
    await scenario.conclude('a second signal');
  });

  test('start --processes: a gateway beside the workers, one metrics port, one log, one drain; lost 0', async () => {
    const all = await scenario.startSupervised(2, { AUTHENTICATION_API_KEY: API_KEY }, 'start');
    const of = linesOf(all).filter(({ message }) => message === 'gateway process');
    expect(of.length).toBe(1);
    await scenario.publish(100);
    await scenario.untilAllAccepted();
    const { status, body } = await ask(all.gatewayPort, 'GET', '/audit');
    expect([status, body]).toEqual([200, expect.objectContaining({ balanced: true })]);
    // The gateway's metrics are among those of the one port, and its lines among those of the one log.
    await eventually(
      async () => ((await all.total('relay_deliveries_total')) >= 100 ? true : undefined),
      'all counted',
    );
    expect(linesOf(all)).toContainEqual(
      expect.objectContaining({ message: 'gateway started', part: 'gateway' }),
    );
    const pids = [...pidsOf(all), ...of.flatMap(({ pid }) => pid ?? [])];
    process.kill(of[0]?.pid ?? 0, 'SIGKILL');
    await eventually(
      () =>
        linesOf(all).filter(({ message }) => message === 'gateway started').length === 2 ? true : undefined,
      'another gateway is there',
    );
    await all.untilReady(60_000);
    expect((await ask(all.gatewayPort, 'GET', '/audit')).status).toBe(200);
    all.signal('SIGTERM');
    expect(await all.ended(30_000)).toEqual({ code: 0, signal: null });
    await allGone(pids);
    await scenario.startWorker();
    const { duplicates } = await scenario.conclude('a gateway that is killed beside two workers');
    expect(duplicates).toBe(0);
  });

  test('a worker that hangs is not ready; the others go on', async () => {
    const supervisor = await scenario.startSupervised(2);
    const [first = 0] = pidsOf(supervisor);
    process.kill(first, 'SIGSTOP');
    try {
      await eventually(
        async () => ((await supervisor.readiness()).status === 503 ? true : undefined),
        'it is not ready',
        60_000,
      );
      await scenario.publish(50);
      expect(await supervisor.metric('relay_worker_processes{state="silent"}')).toBe(1);
    } finally {
      process.kill(first, 'SIGCONT');
    }
    await supervisor.untilReady();
    await scenario.conclude('a worker that hung');
  });

  test('a supervisor that is killed leaves no worker behind: they drain', async () => {
    const supervisor = await scenario.startSupervised(2);
    const pids = pidsOf(supervisor);
    supervisor.signal('SIGKILL');
    await allGone(pids);
    await supervisor.ended(10_000);
    expect(await scenario.audit(WEBHOOK)).toMatchObject({ difference: 0 });
  });
});

describe('worker --processes, wrong', () => {
  const env = (): Record<string, string> => ({
    RABBITMQ_URI: 'amqp://127.0.0.1:1',
    REDIS_URI: 'redis://127.0.0.1:1',
    REDIS_PREFIX_KEY: `never-${randomBytes(4).toString('hex')}`,
    METRICS_HOST: '127.0.0.1',
  });

  test.each(['0', 'many', '1.5', '129'])(
    'a count of %s is refused, with what it may be: exit 2',
    async (count) => {
      const { code, stderr } = await runProcess(['worker', '--processes', count], env(), folder.path);
      expect(code).toBe(2);
      expect(stderr).toContain('--processes: must be auto, or a whole number from 1 to 128');
    },
  );

  test('a wrong configuration is named once, and no worker is started: exit 2', async () => {
    const wrong = { ...env(), REDIS_URI: 'nowhere' };
    const { code, stdout, stderr } = await runProcess(['worker', '--processes', '2'], wrong, folder.path);
    expect(code).toBe(2);
    expect(stderr.match(/REDIS_URI/g)?.length).toBe(1);
    expect(stdout).not.toContain('worker process');
  });

  test('workers that die at every start end with what is wrong, not in a loop: exit 1', async () => {
    const file = join(folder.path, 'die.cjs');
    writeFileSync(
      file,
      "if (process.argv.includes('--supervised')) throw new Error('a library that is broken');\n",
    );
    const port = String(await freePort());
    const broken = { ...env(), METRICS_PORT: port, NODE_OPTIONS: `--require ${file}`, LOG_FORMAT: 'json' };
    const { code, stdout, stderr } = await runProcess(['worker', '--processes', '2'], broken, folder.path);
    expect(code).toBe(1);
    expect(stderr).toContain('a library that is broken');
    expect(stdout).toContain('ended 5 times before it had started');
    expect(stdout.match(/"worker process"/g)?.length).toBeLessThanOrEqual(10);
  });
});
