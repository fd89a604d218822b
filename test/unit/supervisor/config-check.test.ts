import { type ChildProcess, spawn } from 'node:child_process';
import { checkedBy } from '../../../src/supervisor/config-check';

const CONFIG = {
  log: { levels: ['warn'], color: false, format: 'json' },
  metrics: { host: '127.0.0.1', port: 9464 },
  shutdownTimeoutMs: 30_000,
} as const;

/** A process that checks, as far as its supervisor sees it. */
function checker(program: string): ChildProcess {
  return spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}

describe('the configuration of a supervisor', () => {
  it('is what another process has checked', async () => {
    const message = JSON.stringify({ kind: 'checked', config: CONFIG });
    expect(await checkedBy(checker(`process.send(${message})`))).toEqual({ kind: 'good', config: CONFIG });
  });

  it('is missing where that process finds it wrong: its exit code says so', async () => {
    const result = await checkedBy(checker('process.exit(2)'));
    expect(result).toEqual({ kind: 'failed', code: 2, signal: null });
  });

  it('is missing where that process is killed', async () => {
    const result = await checkedBy(checker("process.kill(process.pid, 'SIGKILL')"));
    expect(result).toEqual({ kind: 'failed', code: null, signal: 'SIGKILL' });
  });

  it('is missing where that process ends without a word, or says something else', async () => {
    const result = await checkedBy(checker("process.send('checked'); process.send({ kind: 'started' })"));
    expect(result).toEqual({ kind: 'failed', code: 0, signal: null });
  });

  it('fails where no process can be started', async () => {
    await expect(
      checkedBy(spawn('/nowhere/node', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })),
    ).rejects.toThrow('ENOENT');
  });
});
