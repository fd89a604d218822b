import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { guard, release } from '../processes/guard';
import { freePort, HOST } from '../processes/ports';
import { PrivateProcess } from '../processes/private-process';

const CLI = join(__dirname, '../../../node_modules/fauxqs/dist/cli.js');
const START_MS = 30_000;

/** SQS and S3 over their real protocols, without AWS: fauxqs as a process of its own. */
export class PrivateSqs {
  readonly endpoint: string;

  private constructor(
    private readonly port: number,
    private readonly folder: string,
    private readonly process: PrivateProcess,
  ) {
    this.endpoint = `http://${HOST}:${port}`;
  }

  static async start(): Promise<PrivateSqs> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'relay-sqs-'));
    guard(`folder ${folder}`);
    const child = new PrivateProcess(process.execPath, [CLI], {
      cwd: folder,
      env: { PATH: process.env['PATH'], FAUXQS_PORT: String(port), FAUXQS_LOGGER: 'false' },
      log: join(folder, 'fauxqs.log'),
    });
    const service = new PrivateSqs(port, folder, child);
    await service.untilUp();
    return service;
  }

  /** Connections stay open, nothing answers, until `resume`. */
  pause(): void {
    this.process.signalGroup('SIGSTOP');
  }

  resume(): void {
    this.process.signalGroup('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.process.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    release(`folder ${this.folder}`);
  }

  private async untilUp(): Promise<void> {
    const deadline = Date.now() + START_MS;
    while (!(await isHealthy(this.port))) {
      if (Date.now() > deadline || !this.process.running) {
        throw new Error(`fauxqs does not start:\n${readFileSync(join(this.folder, 'fauxqs.log'), 'utf8')}`);
      }
      await delay(50);
    }
  }
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const ask = request({ host: HOST, port, path: '/health', agent: false, timeout: 1000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    ask.on('timeout', () => ask.destroy());
    ask.on('error', () => resolve(false));
    ask.end();
  });
}
