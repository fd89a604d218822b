import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/processes/ports';
import { Child } from '../child';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, perSecond, verdict } from '../report';
import { median, ratios } from '../statistics';

const CLIENTS = 1000;
const GOAL = 0.7;
/** 500 where throughput is measured with 20,000: each goes to every client. */
const SHARE_OF_EVENTS = 40;
const MANY_CLIENTS = 5000;
const MAX_MB = 500;
const READ_MS = 20;
const START_MS = 20_000;
const SILENCE_MS = 20_000;
const KEY = 'key-of-the-benchmark';

const CONTESTANTS = ['bare', 'relay'] as const;
type Contestant = (typeof CONTESTANTS)[number];

interface FanOut {
  /** Messages received by all clients together, per second. */
  readonly rate: number;
  /** Processor time of the process under test, microseconds per message. */
  readonly cpu: number;
}

/** Events from RabbitMQ to many WebSocket clients, beside a bare broadcast. */
export async function measureWebSockets(bench: Bench): Promise<void> {
  const { print, options } = bench;
  const measured = new Map<Contestant, FanOut[]>(CONTESTANTS.map((contestant) => [contestant, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const contestant of CONTESTANTS) {
      const fanOut = await measure(bench, contestant);
      measured.get(contestant)?.push(fanOut);
      bench.progress(`websocket, round ${round + 1}: ${contestant} ${text([fanOut])}`);
    }
  }
  heading(print, `WebSocket: ${eventsOf(bench)} events to ${CLIENTS} clients, median of ${options.rounds}`);
  for (const [contestant, fanOuts] of measured) figure(print, contestant, text(fanOuts));
  const ratesOf = (contestant: Contestant) => (measured.get(contestant) ?? []).map(({ rate }) => rate);
  const values = ratios(ratesOf('relay'), ratesOf('bare'));
  verdict(print, { what: 'relay / bare', value: median(values), atLeast: GOAL, rounds: values });
  await measureResident(bench);
}

function eventsOf({ options }: Bench): number {
  return Math.max(20, Math.round(options.events / SHARE_OF_EVENTS));
}

function text(fanOuts: readonly FanOut[]): string {
  const cpu = median(fanOuts.map((fanOut) => fanOut.cpu));
  const rate = median(fanOuts.map((fanOut) => fanOut.rate));
  return `${perSecond(rate).padStart(8)}, ${cpu.toFixed(1)} µs of processor time each`;
}

async function measure(bench: Bench, contestant: Contestant): Promise<FanOut> {
  const { broker } = bench;
  await broker.renewQueue();
  const { child, port } = await startServer(bench, contestant);
  const clients = await startClients(bench, port, CLIENTS);
  const events = new Events('small');
  const cpuBefore = child.cpuMs;
  const startedAt = performance.now();
  for (let index = 0; index < eventsOf(bench); index++)
    await broker.publish(events.routingKey, events.next());
  await receiveAll(clients, child, eventsOf(bench) * CLIENTS);
  const took = performance.now() - startedAt;
  const cpu = child.cpuMs - cpuBefore;
  await clients.stop();
  await child.stop();
  await bench.redis.clear();
  const messages = eventsOf(bench) * CLIENTS;
  return { rate: (messages * 1000) / took, cpu: (cpu * 1000) / messages };
}

/** Resident memory with very many clients, after each has received some events. */
async function measureResident(bench: Bench): Promise<void> {
  await bench.broker.renewQueue();
  const { child, port } = await startServer(bench, 'relay');
  const clients = await startClients(bench, port, MANY_CLIENTS);
  const events = new Events('small');
  const count = 20;
  for (let index = 0; index < count; index++) await bench.broker.publish(events.routingKey, events.next());
  await receiveAll(clients, child, count * MANY_CLIENTS);
  const peak = peakMegabytes(child.pid);
  await clients.stop();
  await child.stop();
  await bench.redis.clear();
  if (peak === undefined) figure(bench.print, 'memory', 'no figure: this machine has no /proc');
  else
    verdict(bench.print, { what: `most, ${MANY_CLIENTS} clients`, value: peak, unit: ' MB', atMost: MAX_MB });
}

async function startServer(
  bench: Bench,
  contestant: Contestant,
): Promise<{ readonly child: Child; readonly port: number }> {
  const port = await freePort();
  const env = {
    NODE_ENV: 'production',
    RABBITMQ_URI: bench.rabbitmqUri,
    RABBITMQ_EXCHANGE_NAME: bench.broker.exchange,
    RABBITMQ_QUEUE: bench.broker.queue,
    REDIS_URI: bench.redis.uri,
    REDIS_PREFIX_KEY: bench.redis.prefix,
    METRICS_HOST: '127.0.0.1',
    METRICS_PORT: String(await freePort()),
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    AUTHENTICATION_API_KEY: KEY,
    WEBSOCKET_ENABLED: 'true',
    WEBSOCKET_GLOBAL_EVENTS: 'true',
    LOG_LEVEL: 'error',
  };
  const args =
    contestant === 'relay'
      ? [Child.path('dist/main.js'), 'start']
      : Child.script('contestants/websocket-bare.ts');
  const child = await Child.start({ name: contestant, args, env, folder: bench.folder }, bench.cleanup);
  await listening(port, child);
  while (!(await bench.broker.hasConsumer())) await delay(READ_MS);
  return { child, port };
}

async function startClients({ folder, cleanup }: Bench, port: number, count: number): Promise<Child> {
  const args = Child.script('clients/websocket-process.ts');
  const clients = await Child.start({ name: 'clients', args, env: {}, folder }, cleanup);
  const connected = clients.message<string>();
  clients.send(`${count} ws://127.0.0.1:${port}/?apikey=${KEY}`);
  await connected;
  return clients;
}

async function receiveAll(clients: Child, child: Child, expected: number): Promise<void> {
  let [seen, seenAt] = [0, performance.now()];
  while (seen < expected) {
    await delay(READ_MS);
    child.check();
    const answer = clients.message<number>();
    clients.send('count');
    const received = await answer;
    if (received > seen) [seen, seenAt] = [received, performance.now()];
    if (performance.now() - seenAt > SILENCE_MS) throw new Error(`only ${seen} of ${expected} were received`);
  }
}

async function listening(port: number, child: Child): Promise<void> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await delay(READ_MS)) {
    child.check();
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
  }
  throw new Error(`nobody listens on port ${port}`);
}

function peakMegabytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}
