import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { RawConnection } from '../support/clients/raw-connection';
import { STRANGERS } from '../support/clients/strangers';
import { API_KEY, ask } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import { HOST } from '../support/processes/ports';
import type { RelayProcess } from '../support/processes/relay';
import { eventually } from '../support/signals/signals';
import { Dice, hostileBytes } from '../support/values/hostile';

jest.setTimeout(240_000);

const MIB = 2 ** 20;
/** Garbage of answers is not collected at once: a bound on what may be held, not a measurement. */
const ALLOWED_GROWTH = 150 * MIB;

let scenario: Scenario;
let relay: RelayProcess;
const open: RawConnection[] = [];

afterEach(async () => {
  for (const connection of open.splice(0)) connection.destroy();
  await scenario.close();
});

/** Worker and gateway in one process, as with `start`: what a stranger does to one he does to both. */
async function start(descriptors?: number): Promise<void> {
  scenario = await Scenario.start({ env: { AUTHENTICATION_API_KEY: API_KEY, WEBSOCKET_ENABLED: 'true' } });
  relay = await scenario.startBoth(descriptors);
}

function connection(port: number): RawConnection {
  const created = new RawConnection(port);
  open.push(created);
  return created;
}

/** It lives, does what it is asked on both ports, and still delivers. */
async function stillWorks(): Promise<void> {
  await eventually(
    async () => (await statusOf(relay.gatewayPort, '/healthz')) === 200 || undefined,
    'the gateway answers',
  );
  await eventually(
    async () => (await statusOf(relay.metricsPort, '/healthz')) === 200 || undefined,
    'metrics',
  );
  const answer = await eventually(
    () => ask(relay.gatewayPort, 'GET', '/settings/find/loja').catch(() => undefined),
    'the right key opens',
  );
  expect(answer.status).toBe(200);
  expect(relay.isRunning).toBe(true);
  await scenario.publish(10);
  await scenario.untilAllAccepted();
}

const statusOf = (port: number, path: string): Promise<number> =>
  ask(port, 'GET', path, { key: null }).then(
    ({ status }) => status,
    () => 0,
  );

test('upgrades on any path, reset at any moment, end no process (finding 4.1)', async () => {
  await start();
  const dice = new Dice(41);
  const paths = [
    '/',
    '/x',
    '/socket.io',
    '/socket.io/',
    '/socket.io/?EIO=4&transport=websocket',
    '//',
    '/docs/',
    '/webhook/set/a',
  ];
  for (let round = 0; round < 40; round++) {
    for (const path of paths) {
      const hostile = connection(dice.below(4) === 0 ? relay.metricsPort : relay.gatewayPort);
      const head = `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
      await hostile.send(head.slice(0, dice.below(3) === 0 ? dice.below(head.length) : undefined));
      if (dice.below(2) === 0) await delay(dice.below(5));
      hostile.reset();
    }
  }
  await stillWorks();
});

test('half-sent bodies hold little memory, and are ended (finding 4.2)', async () => {
  await start();
  await stillWorks();
  const before = relay.residentBytes;
  const half = Buffer.alloc(900_000, 'x');
  const targets = [
    '/pusher/webhook/x',
    '/pusher/auth',
    '/nowhere',
    '/webhook/set/loja',
    '/socket.io/?EIO=4&transport=polling',
  ];
  const bodies = Array.from({ length: 400 }, (_, index) => ({
    path: targets[index % targets.length],
    port: index % 10 === 9 ? relay.metricsPort : relay.gatewayPort,
  }));
  await Promise.all(
    bodies.map(async ({ path, port }) => {
      const stranger = connection(port);
      await stranger.send(
        `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-pusher-key: k\r\nx-pusher-signature: s\r\ncontent-length: 1000000\r\n\r\n`,
      );
      // The system takes no more of it than it can hand over.
      await Promise.race([stranger.send(half), delay(3000, undefined, { ref: false })]);
    }),
  );
  await stillWorks();
  const growth = relay.residentBytes - before;
  process.stdout.write(`fault strangers: 400 half-sent bodies: +${Math.round(growth / MIB)} MiB\n`);
  expect(growth).toBeLessThan(ALLOWED_GROWTH);
});

test('400 silent connections at 256 descriptors stop no delivery, and are told of (finding 4.2)', async () => {
  await start(256);
  for (let index = 0; index < 400; index++) {
    await connection(index % 4 === 3 ? relay.metricsPort : relay.gatewayPort).send(
      index % 2 === 0 ? '' : 'GET /',
    );
  }
  await stillWorks();
  await relay.untilLogged('connections refused at the gateway');
  await relay.untilLogged('connections refused at the metrics port');
  expect(relay.log).not.toContain('EMFILE');
});

/** What the event loop was late by at most since the last reading. The bound is for a busy machine: `npm run bench -- --only turns` has exact ones. */
async function expectNoHoldUp(what: string): Promise<void> {
  const lagSeconds = await relay.metric('nodejs_eventloop_lag_max_seconds');
  process.stdout.write(`fault strangers: ${what}: event loop ${Math.round(lagSeconds * 1000)} ms late\n`);
  expect(lagSeconds).toBeLessThan(1);
}

test('50,000 CONNECTs on one socket.io connection without a key hold the event loop up for no time (finding 4.5)', async () => {
  await start();
  await stillWorks();
  // Counted anew from each reading on.
  await relay.metrics();
  const socket = new WebSocket(`ws://${HOST}:${relay.gatewayPort}/socket.io/?EIO=4&transport=websocket`);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (let index = 0; index < 50_000; index++) socket.send(`40/instance-${index},`);
  await closed;
  await expectNoHoldUp('50,000 CONNECTs');
  await stillWorks();
});

test('thousands of CONNECTs in each body of many polling sessions do neither (finding 4.5)', async () => {
  await start();
  await stillWorks();
  await relay.metrics();
  const polling = '/socket.io/?EIO=4&transport=polling';
  const sessions = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const { text } = await ask(relay.gatewayPort, 'GET', polling, { key: null });
      return (JSON.parse(text.slice(1)) as { sid: string }).sid;
    }),
  );
  const body = Array.from({ length: 4000 }, (_, index) => `40/i-${index},`)
    .join('\x1e')
    .slice(0, 60_000);
  const headers = { 'content-type': 'text/plain;charset=UTF-8' };
  await Promise.all(
    sessions.map((sid) =>
      ask(relay.gatewayPort, 'POST', `${polling}&sid=${sid}`, { key: null, body, headers }).catch(() => {}),
    ),
  );
  await expectNoHoldUp('20 × 4,000 CONNECTs');
  await stillWorks();
});

test('900 connections that have something to say at once do neither, whole requests or tiny pieces (findings 4.2, 4.5)', async () => {
  await start();
  await stillWorks();
  const before = relay.residentBytes;
  for (const what of ['900 × 16 requests at once', '900 bodies in pieces of 1 byte']) {
    await relay.metrics();
    await STRANGERS[what]?.(relay.gatewayPort);
    await expectNoHoldUp(what);
  }
  await stillWorks();
  expect(relay.residentBytes - before).toBeLessThan(ALLOWED_GROWTH);
});

test('no bytes from a stranger end the process, or stay in its memory', async () => {
  await start();
  await stillWorks();
  const before = relay.residentBytes;
  const dice = new Dice(Number(process.env['FUZZ_SEED'] ?? 20_261_126));
  process.stdout.write(`fault strangers: FUZZ_SEED=${dice.seed}\n`);
  const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 2500);
  for (let round = 0; round < rounds && relay.isRunning; round++) {
    const hostile = connection(dice.below(5) === 0 ? relay.metricsPort : relay.gatewayPort);
    const bytes = Buffer.concat(Array.from({ length: 1 + dice.below(3) }, () => hostileBytes(dice)));
    const cut = dice.below(3) === 0 ? dice.below(bytes.length) : bytes.length;
    if (dice.below(5) === 0) hostile.pause();
    await hostile.send(bytes.subarray(0, cut));
    const end = dice.below(4);
    if (end === 0) hostile.reset();
    else if (end === 1) void delay(dice.below(50)).then(() => hostile.reset());
    else if (end === 2) hostile.destroy();
    // The rest is left open.
    if (open.length > 300) open.shift()?.reset();
  }
  expect(relay.log).not.toMatch(/uncaught|unhandled/i);
  await stillWorks();
  const growth = relay.residentBytes - before;
  process.stdout.write(`fault strangers: fuzz: +${Math.round(growth / MIB)} MiB\n`);
  expect(growth).toBeLessThan(ALLOWED_GROWTH);
});
