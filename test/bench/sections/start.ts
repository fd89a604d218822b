import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { deferred } from '../../support/signals/signals';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median } from '../statistics';

const FIRST_DELIVERY_S = 1.5;
const REST_MB = 90;
/** Then what starting leaves behind is gone. */
const REST_MS = 5000;
const MIB = 1024;

/** From the start of a worker's process until the first event of a waiting queue arrives; what it takes with nothing to do. */
export async function measureStart(bench: Bench): Promise<void> {
  const seconds: number[] = [];
  const processor: number[] = [];
  const megabytes: number[] = [];
  for (let round = 0; round < bench.options.rounds; round++) {
    const measured = await startOnce(bench);
    seconds.push(measured.seconds);
    processor.push(measured.processor);
    megabytes.push(measured.megabytes);
    bench.progress(
      `start, round ${round + 1}: ${measured.seconds.toFixed(2)} s, ${measured.megabytes.toFixed(0)} MB`,
    );
  }
  heading(bench.print, `Start of a worker, median of ${bench.options.rounds}`);
  // On a machine that has other things to do this is what a start takes.
  figure(bench.print, 'processor time until then', `${median(processor).toFixed(2)} s`);
  const goals = [
    { what: 'first delivery after', unit: ' s', rounds: seconds, atMost: FIRST_DELIVERY_S },
    { what: 'resident at rest', unit: ' MB', rounds: megabytes, atMost: REST_MB },
  ];
  for (const goal of goals) verdict(bench.print, { ...goal, value: median(goal.rounds) });
}

async function startOnce(bench: Bench): Promise<{ seconds: number; processor: number; megabytes: number }> {
  const { broker, redis } = bench;
  await broker.renewQueue();
  const events = new Events('small');
  await broker.publish(events.routingKey, events.next());
  await broker.confirmed();
  const arrival = deferred<number>();
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end());
    arrival.resolve(performance.now());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const startedAt = performance.now();
  const child = await startContestant(bench, 'relay', `http://127.0.0.1:${port}`);
  const seconds = ((await arrival.promise) - startedAt) / 1000;
  const processor = child.cpuMs / 1000;
  await delay(REST_MS);
  const megabytes = residentOf(child.pid);
  await child.stop();
  server.closeAllConnections();
  server.close();
  await redis.clear();
  return { seconds, processor, megabytes };
}

/** As the kernel counts it; not a number where there is no /proc. */
function residentOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / MIB;
  } catch {
    return Number.NaN;
  }
}
