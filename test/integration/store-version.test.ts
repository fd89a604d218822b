import { Redis } from 'ioredis';
import { STORE_VERSION, storeVersionKey } from '../../src/redis/store-version';
import { Scenario } from '../support/harness/scenario';
import { freePort, HOST } from '../support/processes/ports';
import { type RelayCommand, RelayProcess } from '../support/processes/relay';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { type RedisImage, takeImage } from '../support/stored/redis-image';

jest.setTimeout(120_000);

const LATER = 'a later version of the relay stored what lies under REDIS_PREFIX_KEY';
const KEY = { AUTHENTICATION_API_KEY: 'a key that is long enough' };

let redis: Redis;
let scenario: Scenario;
beforeEach(async () => {
  scenario = await Scenario.start({ env: KEY });
  redis = new Redis(scenario.env['REDIS_URI'] ?? '');
});
afterEach(async () => {
  redis.disconnect();
  await scenario.close();
});

const version = (): Promise<string | null> => redis.get(storeVersionKey(scenario.name));
const putVersion = (text: string): Promise<unknown> => redis.set(storeVersionKey(scenario.name), text);

/** Some of what was there may have expired. */
async function expectNothingNew(before: RedisImage): Promise<void> {
  expect(before).toEqual(expect.objectContaining(await takeImage(redis, scenario.name)));
}

test('the first process writes the version of what it stores, and an earlier one is raised', async () => {
  await scenario.startWorker();
  expect(await version()).toBe(String(STORE_VERSION));
  await scenario.stopWorkers();
  await putVersion('0');
  await scenario.startWorker();
  expect(await version()).toBe(String(STORE_VERSION));
});

test.each<[RelayCommand, string]>([
  ['worker', '99'],
  ['gateway', '99'],
  ['start', 'another form'],
])(
  '%s does not start where the version is %s: it says why and what helps, consumes nothing and changes nothing',
  async (command, later) => {
    await scenario.startWorker();
    await scenario.stopWorkers();
    await scenario.publish(5);
    await putVersion(later);
    const before = await takeImage(redis, scenario.name);
    const relay = await RelayProcess.launch(scenario.env, command);
    scenario.workers.push(relay);
    expect(await relay.ended(30_000)).toEqual({ code: 1, signal: null });
    expect(relay.log).toContain(LATER);
    expect(relay.log).toContain('start that version of the relay, or set another REDIS_PREFIX_KEY');
    await expectNothingNew(before);
    expect({ waiting: await scenario.queueLength(), seen: scenario.receiver.arrivals }).toEqual({
      waiting: 5,
      seen: 0,
    });
  },
);

test('commands refuse in the same words, and doctor lists it', async () => {
  await putVersion('99');
  const before = await takeImage(redis, scenario.name);
  for (const args of [
    ['audit'],
    ['dead-letters', 'rm', '--instance', 'loja-1'],
    ['settings', 'set', 'loja-1', '{"websocket":{}}'],
    ['doctor'],
  ]) {
    const { code, stdout, stderr } = await scenario.command(...args);
    expect({ args, code, said: stdout + stderr }).toEqual({
      args,
      code: 1,
      said: expect.stringContaining(LATER),
    });
  }
  await expectNothingNew(before);
});

test('where Redis does not let it be read, doctor lists that with everything else that it found', async () => {
  const user = `${scenario.name}-limited`;
  await redis.call('ACL', 'SETUSER', user, 'on', '>secret', '~other:*', '&*', '+@all');
  try {
    const uri = new URL(scenario.env['REDIS_URI'] ?? '');
    Object.assign(uri, { username: user, password: 'secret' });
    const { code, stdout } = await scenario.commandWith({ REDIS_URI: uri.href }, 'doctor');
    expect(code).toBe(1);
    expect(stdout).toContain('NOPERM');
    expect(stdout).toContain('AUTHENTICATION_API_KEY is set');
  } finally {
    await redis.call('ACL', 'DELUSER', user);
  }
});

test('a worker that meets a later version while it runs ends at once: it stores nothing more, and what it held goes back to the broker', async () => {
  scenario.receiver.behaviour = () => 'hang';
  const worker = await scenario.startWorker();
  await scenario.publish(20);
  await scenario.receiver.until(() => scenario.receiver.arrivals > 0, 30_000, 'a first attempt');
  await putVersion('99');
  expect(await worker.ended(60_000)).toEqual({ code: 1, signal: null });
  expect(worker.log).toContain(LATER);
  expect(await version()).toBe('99');
  // Those that were slow lie in Redis; none is lost.
  const { ':audit': _counted, ...rest } = await takeImage(redis, scenario.name);
  const stored = Object.keys(rest).filter((name) => name.startsWith(':retry:dlv_')).length;
  expect(stored + (await scenario.queueLength())).toBeGreaterThanOrEqual(20);
});

test('where Redis is away at first, its version is looked at when it comes', async () => {
  await putVersion('99');
  const port = await freePort();
  const away = { ...scenario.env, REDIS_URI: `redis://${HOST}:${port}` };
  const worker = await RelayProcess.launch(away);
  scenario.workers.push(worker);
  await worker.untilLogged('worker started');
  const proxy = await FreezingProxy.start(Number(new URL(scenario.env['REDIS_URI'] ?? '').port), port);
  try {
    expect(await worker.ended(60_000)).toEqual({ code: 1, signal: null });
    expect(worker.log).toContain(LATER);
  } finally {
    await proxy.close();
  }
});
