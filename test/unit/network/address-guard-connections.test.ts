import { isIPv4 } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import { AddressRefusedError } from '../../../src/errors';
import { AddressGuard, type GuardedConnectOptions } from '../../../src/network/address-guard';
import type { Resolve } from '../../../src/network/name-lookup';
import { HttpTarget, respond } from '../../support/servers/http-target';

/** A public address: nothing is ever sent to it. */
const PUBLIC = '8.8.8.8';
const LOOPBACK = ['127.0.0.0/8'];

/** Answers the first question with the first list, and so on; the last one for ever. */
class FakeResolver {
  readonly asked: string[] = [];

  constructor(private readonly answers: readonly (readonly string[])[]) {}

  readonly resolve: Resolve = (hostname, options, callback) => {
    expect(options.all).toBe(true);
    const answer = this.answers[Math.min(this.asked.length, this.answers.length - 1)] ?? [];
    this.asked.push(hostname);
    const addresses = answer.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
    process.nextTick(() => callback(null, addresses));
  };
}

let target: HttpTarget;
const pools: Pool[] = [];

beforeEach(async () => {
  target = await HttpTarget.start();
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.destroy()));
  await target.stop();
});

/** The address of the target with another host in it. */
function at(host: string, protocol = 'http:'): string {
  return `${protocol}//${host}:${new URL(target.url).port}`;
}

function poolOf(
  guard: AddressGuard,
  origin: string,
  options: GuardedConnectOptions & { readonly localAddress?: string } = {},
): Pool {
  const { localAddress, ...connect } = options;
  const pool = new Pool(origin, {
    connections: 1,
    connect: guard.connector(connect),
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  pools.push(pool);
  return pool;
}

async function post(pool: Pool): Promise<Dispatcher.ResponseData> {
  const answer = await pool.request({ path: '/', method: 'POST', body: '{}' });
  await answer.body.dump();
  return answer;
}

async function failureOf(pool: Pool): Promise<NodeJS.ErrnoException & { address?: string }> {
  return post(pool).then(
    () => Promise.reject(new Error('was reached')),
    (error) => error,
  );
}

async function expectRefused(pool: Pool, message: string): Promise<void> {
  const error = await failureOf(pool);
  expect(error).toBeInstanceOf(AddressRefusedError);
  expect(error).toMatchObject({ code: 'ADDRESS_REFUSED', message: expect.stringContaining(message) });
  expect(target.connections).toBe(0);
}

describe.each([true, false])('with autoSelectFamily %p', (autoSelectFamily) => {
  const options = { autoSelectFamily };

  test.each([
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '127.0.0.1.',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::]',
  ])('%s is refused unasked, over TLS too', async (host) => {
    const resolver = new FakeResolver([[PUBLIC]]);
    const guard = new AddressGuard([], resolver.resolve);
    await expectRefused(poolOf(guard, at(host), options), 'WEBHOOK_ALLOWED_NETWORKS=');
    await expectRefused(poolOf(guard, at(host, 'https:'), options), 'WEBHOOK_ALLOWED_NETWORKS=');
    expect(resolver.asked).toEqual([]);
  });

  test('localhost is refused by what it leads to', async () => {
    await expectRefused(poolOf(new AddressGuard([]), at('localhost'), options), 'a loopback address');
  });

  test.each(['localhost.', 'n8n.localhost', 'n8n.localhost.', 'inside.example', 'inside.example.'])(
    '%s is refused by what it leads to, over TLS too',
    async (host) => {
      const resolver = new FakeResolver([['127.0.0.1', '::1']]);
      const guard = new AddressGuard([], resolver.resolve);
      const message =
        `${host} leads to 127.0.0.1, which is a loopback address; ` +
        'WEBHOOK_ALLOWED_NETWORKS=127.0.0.1/32,::1/128 would allow it';
      await expectRefused(poolOf(guard, at(host), options), message);
      await expectRefused(poolOf(guard, at(host, 'https:'), options), message);
      expect(resolver.asked).toEqual([host, host]);
    },
  );

  test.each([
    [[PUBLIC, '127.0.0.1']],
    [['127.0.0.1', PUBLIC]],
    [[PUBLIC, '2606:4700::1111', '::ffff:127.0.0.1']],
    [['2606:4700::1111', 'fe80::1%eth0']],
    [[PUBLIC, '64:ff9b::10.0.0.1']],
    [[PUBLIC, 'no address']],
    [[]],
  ])('a name that leads to %j is refused', async (answer) => {
    const guard = new AddressGuard([], new FakeResolver([answer]).resolve);
    await expectRefused(poolOf(guard, at('mixed.example'), options), 'mixed.example ');
  });

  test.each(['127.0.0.1', 'localhost', 'inside.example'])('%s is reached once it is open', async (host) => {
    const resolver = new FakeResolver([['127.0.0.1']]);
    const guard = new AddressGuard(LOOPBACK, resolver.resolve);
    expect((await post(poolOf(guard, at(host), options))).statusCode).toBe(200);
    expect(resolver.asked).toEqual(host === '127.0.0.1' ? [] : [host]);
  });

  test('a name is asked for once for a connection, and judged anew for the next', async () => {
    const resolver = new FakeResolver([['127.0.0.1'], ['10.0.0.1']]);
    const pool = poolOf(new AddressGuard(['127.0.0.1'], resolver.resolve), at('rebinding.example'), options);
    target.answer = respond(200, { connection: 'close' });
    expect((await post(pool)).statusCode).toBe(200);
    expect(resolver.asked).toHaveLength(1);
    expect(await failureOf(pool)).toMatchObject({ code: 'ADDRESS_REFUSED' });
    expect(resolver.asked).toHaveLength(2);
    expect(target.connections).toBe(1);
  });

  test('the failure of a name is handed on', async () => {
    const failure = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const guard = new AddressGuard([], (_name, _options, callback) => callback(failure, []));
    expect(await failureOf(poolOf(guard, at('nowhere.example'), options))).toBe(failure);
  });
});

test('a name that turns to loopback after it was checked is connected to where it was checked', async () => {
  const resolver = new FakeResolver([[PUBLIC], ['127.0.0.1']]);
  // From a loopback address no packet can leave for a public one: the system refuses, and says what it was asked.
  const pool = poolOf(new AddressGuard([], resolver.resolve), at('rebinding.example'), {
    localAddress: '127.0.0.1',
  });
  expect(await failureOf(pool)).toMatchObject({ syscall: 'connect', address: PUBLIC });
  expect(resolver.asked).toHaveLength(1);
  expect(target.connections).toBe(0);
});

test('a redirect to inside is an answer like any other: nobody goes there', async () => {
  const inside = await HttpTarget.start();
  try {
    target.answer = respond(302, { location: inside.url });
    const answer = await post(poolOf(new AddressGuard(LOOPBACK), target.url));
    expect(answer.statusCode).toBe(302);
    expect(answer.headers['location']).toBe(inside.url);
    expect(inside.connections).toBe(0);
  } finally {
    await inside.stop();
  }
});
