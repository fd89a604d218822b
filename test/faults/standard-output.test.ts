import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { Scenario } from '../support/harness/scenario';
import type { RelayProcess } from '../support/processes/relay';

jest.setTimeout(120_000);

const MAIN = join(__dirname, '../../dist/main.js');
const FULL = '/dev/full';

describe('a worker whose log (finding 3.14)', () => {
  let scenario: Scenario;
  afterEach(() => scenario.close());

  test.each<[string, (worker: RelayProcess) => void]>([
    ['is read by nobody any more', (worker) => worker.closeOutput()],
    ['is not read on', (worker) => worker.stopReading()],
  ])('%s goes on, and drains when it is told to', async (name, close) => {
    scenario = await Scenario.start();
    const worker = await scenario.startWorker({ LOG_LEVEL: 'debug' });
    await scenario.publish(100);
    await scenario.untilAccepted(100);
    close(worker);
    await scenario.publish(3000);
    await scenario.conclude(`log ${name}`);
  });
});

/** How a command ends whose output goes to a full disk, or to a reader that is gone. */
async function exitOf(args: readonly string[], to: 'full' | 'gone'): Promise<number | null> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] },
    cwd: __dirname,
    stdio: ['ignore', to === 'full' ? openSync(FULL, 'w') : 'pipe', 'ignore'],
  });
  child.stdout?.destroy();
  const [code] = await once(child, 'exit');
  return code;
}

describe('a command whose output', () => {
  test('has no reader any more (`| head`) ends without a word', async () => {
    expect(await exitOf(['config'], 'gone')).toBe(0);
    expect(await exitOf(['--help'], 'gone')).toBe(0);
  });

  test('goes to a full disk fails', async () => {
    expect(await exitOf(['config'], 'full')).toBe(1);
  });
});
