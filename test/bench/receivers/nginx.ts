import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ask, freePort, HOST } from '../../support/processes/ports';
import { PrivateProcess } from '../../support/processes/private-process';
import type { Cleanup } from '../cleanup';
import { Counter, type Receiver } from './receiver';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const START_MS = 10_000;

/** nginx that answers everything with 200, in one process, writing nothing but in `folder`. */
export async function startNginx(program: string, folder: string, cleanup: Cleanup): Promise<Receiver> {
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, port));
  const nginx = new PrivateProcess(program, ['-p', folder, '-c', file, '-e', join(folder, 'nginx.error')], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    log: join(folder, 'nginx.log'),
  });
  cleanup.add(() => nginx.end('SIGTERM'));
  const deadline = Date.now() + START_MS;
  while ((await ask(port, 'GET / HTTP/1.0\r\n\r\n')).length === 0) {
    if (!nginx.running || Date.now() > deadline) throw new Error('nginx does not start');
    await delay(50);
  }
  const origin = `http://${HOST}:${port}`;
  const counter = new Counter(origin, requestsBesides);
  const before = await counter.read();
  return {
    name: await versionOf(program),
    url: `${origin}/webhook`,
    received: async () => (await counter.read()) - before,
  };
}

/** No master process: then there is one process to end and no user to change to. */
function configuration(folder: string, port: number): string {
  const temporary = TEMPORARY.map((kind) => `  ${kind}_temp_path ${join(folder, kind)};`);
  return `
daemon off;
master_process off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 1024; }
http {
${temporary.join('\n')}
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 120s;
  client_max_body_size 0;
  server {
    listen ${HOST}:${port} backlog=1024;
    location / { return 200 'ok'; }
    location = ${Counter.path} { stub_status; }
  }
}
`;
}

/** stub_status: the third of three numbers in a line counts every request, those for the status included. */
function requestsBesides(text: string, readings: number): number {
  const requests = /^\s*\d+ \d+ (\d+)\s*$/m.exec(text)?.[1];
  if (requests === undefined) throw new Error(`nginx tells no status: ${text}`);
  return Number(requests) - readings;
}

async function versionOf(program: string): Promise<string> {
  const { stderr } = await promisify(execFile)(program, ['-v']);
  return /nginx\/[\d.]+/.exec(stderr)?.[0] ?? 'nginx';
}
