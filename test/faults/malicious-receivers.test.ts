import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Pool } from 'undici';
import { AddressGuard } from '../../src/network/address-guard';
import { createHttpClient } from '../../src/network/http-client';
import type { Outcome } from '../../src/pipeline/delivery';
import { MISDEEDS } from '../support/servers/malicious-receivers';
import { attempt } from '../support/signals/attempt';
import { LongestStep } from '../support/signals/longest-step';

jest.setTimeout(120_000);

const SUPPORT = join(__dirname, '../support');
const TIMEOUT_MS = 3000;
/** An attempt ends by its timeout, give or take how often it is looked at on a busy machine. */
const LATEST_MS = TIMEOUT_MS + 4000;
const CONNECT_MS = 1500;
const AT_ONCE = 3;
/** Far above what a busy machine adds, far below what one of these receivers took: `npm run bench -- --only turns` measures. */
const LONGEST_STEP_MS = 1000;

type Ports = Readonly<Record<string, number>>;

const guard = new AddressGuard(['127.0.0.0/8']);
let children: ChildProcess[];
let ports: Ports;
/** Of a process of its own, which has nothing else to do. */
let goodPorts: Ports;
let pools: Pool[] = [];

beforeAll(async () => {
  const program = join(SUPPORT, 'servers/malicious-receivers.ts');
  const options = { execArgv: ['-r', join(SUPPORT, 'ts-hook.cjs')] };
  children = [fork(program, options), fork(program, options)];
  const messages = await Promise.all(children.map((child) => once(child, 'message')));
  [ports, goodPorts] = messages.map(([message]) => message) as [Ports, Ports];
});

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.destroy()));
  pools = [];
});

afterAll(async () => {
  const ended = children.map((child) => once(child, 'exit'));
  for (const child of children) child.kill();
  await Promise.all(ended);
});

function poolOf(origin: string): Pool {
  const pool = createHttpClient(origin, {
    connections: 50,
    connectTimeoutMs: CONNECT_MS,
    connector: guard.connector({ timeout: CONNECT_MS }),
  });
  pools.push(pool);
  return pool;
}

function codeOf(outcome: Outcome): string {
  return 'code' in outcome ? outcome.code : outcome.kind;
}

const originOf = (name: string): string => `http://127.0.0.1:${ports[name]}`;

describe('a receiver that (finding 4.4 and its kind)', () => {
  test.each(Object.entries(MISDEEDS))('%s: the attempt ends in time', async (name, [, expected]) => {
    const pool = poolOf(originOf(name));
    // Enough for a receiver that does not read.
    const body = JSON.stringify('x'.repeat(name === 'does not read' ? 8_000_000 : 100));
    const outcomes = await Promise.all(
      Array.from({ length: AT_ONCE }, () => attempt(pool, TIMEOUT_MS, body)),
    );
    for (const outcome of outcomes) {
      expect(codeOf(outcome)).toMatch(expected);
      expect(outcome.kind).not.toBe('interrupted');
      expect(outcome.ms).toBeLessThan(LATEST_MS);
    }
  });

  test('never answers the TLS handshake: the attempt ends by the limit for connecting', async () => {
    const outcome = await attempt(poolOf(`https://127.0.0.1:${ports['says nothing']}`), TIMEOUT_MS);
    expect(codeOf(outcome)).toBe('UND_ERR_CONNECT_TIMEOUT');
  });
});

test('all of them at once: a good receiver keeps its latency, and the process its breath', async () => {
  const good = poolOf(`http://127.0.0.1:${goodPorts['is well']}`);
  const bad = Object.keys(MISDEEDS)
    .filter((name) => name !== 'is well')
    .map((name) => poolOf(originOf(name)));
  const allBad = (): Promise<unknown> => Promise.all(bad.map((pool) => attempt(pool, TIMEOUT_MS)));
  // So that no compiler is measured.
  await Promise.all([attempt(good, TIMEOUT_MS), allBad()]);
  const step = new LongestStep();
  let isOver = false;
  const evil = allBad().then(() => {
    isOver = true;
  });
  const latencies: number[] = [];
  while (!isOver) {
    const outcome = await attempt(good, TIMEOUT_MS);
    expect(outcome.kind).toBe('delivered');
    latencies.push(outcome.ms);
    await new Promise(setImmediate);
  }
  await evil;
  expect(step.end()).toBeLessThan(LONGEST_STEP_MS);
  latencies.sort((a, b) => a - b);
  expect(latencies[Math.floor(latencies.length / 2)]).toBeLessThan(LONGEST_STEP_MS);
});

test('50 webhooks × 3 events whose answers overflow cost little processor time (finding 1.5)', async () => {
  const overflowing = poolOf(originOf('sends one header of 16 KB and 9,800 short ones'));
  const before = process.cpuUsage();
  const outcomes = await Promise.all(Array.from({ length: 150 }, () => attempt(overflowing, TIMEOUT_MS)));
  const { user, system } = process.cpuUsage(before);
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['failed']));
  // undici alone takes 0.35 s for each of them.
  expect((user + system) / 1e6).toBeLessThan(5);
});
