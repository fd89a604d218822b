import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Scenario, WEBHOOK } from '../support/harness/scenario';
import { everyNth } from '../support/servers/receiver';
import { eventually } from '../support/signals/signals';
import { putImage, takeImage } from '../support/stored/redis-image';
import {
  AGELESS,
  makeStoredWorld,
  ORDERED_INSTANCE,
  RECEIVER,
  type StoredWorld,
} from '../support/stored/stored-world';

jest.setTimeout(180_000);

const FOLDER = join(__dirname, '../fixtures/stored');
const FILE = 'redis.json';
/** One folder for each release whose records are read. */
const RELEASES = readdirSync(FOLDER);

/** `STORED_FIXTURE=1.0.0`: what this release stores becomes the fixture of that number, once and for all. */
const MADE = process.env['STORED_FIXTURE'];

function worldOf(release: string): StoredWorld {
  return JSON.parse(readFileSync(join(FOLDER, release, FILE), 'utf8')) as StoredWorld;
}

/** `RELEASED_RELAY=<folder>`: a build of the last release, which workers of this one take turns with; else this one with itself. */
const { RELEASED_RELAY } = process.env;
const RELEASED = RELEASED_RELAY === undefined ? {} : { main: join(RELEASED_RELAY, 'dist/main.js') };

let redis: Redis;
let scenario: Scenario;
beforeEach(async () => {
  scenario = await Scenario.start({ env: { ...AGELESS, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' } });
  redis = new Redis(scenario.env['REDIS_URI'] ?? '');
});
afterEach(async () => {
  redis.disconnect();
  await scenario.close();
});

async function restore(world: StoredWorld, change: (text: string) => string = (text) => text): Promise<void> {
  const text = JSON.stringify(world.redis).replaceAll(RECEIVER, scenario.receiver.url);
  await putImage(redis, scenario.name, JSON.parse(change(text)) as StoredWorld['redis']);
}

if (MADE !== undefined)
  test('the fixture is made', async () => {
    mkdirSync(join(FOLDER, MADE), { recursive: true });
    writeFileSync(join(FOLDER, MADE, FILE), `${JSON.stringify(await makeStoredWorld(), null, 1)}\n`);
  });

describe.each(RELEASES)('what release %s stored', (release) => {
  test('is read by this one: parked deliveries and lanes arrive, dead letters, settings and the log are there', async () => {
    const world = worldOf(release);
    await restore(world);
    expect((await scenario.audit()).difference).toBe(0);
    await scenario.startWorker();
    await scenario.makeDue();
    const { receiver } = scenario;
    await receiver.until(() => receiver.missing(world.parked).length === 0, 60_000, 'all that was parked');
    // Those of a lane in their order.
    const ordered = receiver.firstArrivals.filter((key) => world.parked.indexOf(key) >= 3);
    expect(ordered).toEqual(world.parked.filter((key) => ordered.includes(key)));
    const line = await scenario.untilAudited(({ parked }) => parked === 0);
    expect(line).toMatchObject({ dead: world.refused.length, difference: 0 });
    const letters = await scenario.command('dead-letters', 'ls', '--json');
    expect(letters.stdout).toContain('rejected');
    expect(letters.stdout).toContain('malformed');
    const settings = await scenario.command('settings', 'get', ORDERED_INSTANCE);
    expect(JSON.parse(settings.stdout)).toMatchObject({
      webhook: { ordered: 'instance' },
      token: '********',
    });
    const log = await scenario.command('deliveries', 'ls', '--json', '--instance', 'loja-centro');
    expect(log.stdout).toContain('"loja-centro"');
  });

  test('dead letters of it are replayed', async () => {
    const world = worldOf(release);
    await restore(world);
    await scenario.startWorker();
    await scenario.command('dead-letters', 'replay', '--reason', 'rejected');
    const { receiver } = scenario;
    await receiver.until(() => receiver.missing(world.refused).length === 0, 60_000, 'what was refused');
    expect((await scenario.audit()).difference).toBe(0);
  });

  test('jobs of a later version are left alone, and so are settings: not a byte of them changes', async () => {
    const world = worldOf(release);
    const newer = (text: string): string =>
      text
        .replaceAll('{\\"v\\":1,', '{\\"v\\":99,')
        .replaceAll('{\\"version\\":1,\\"schema\\"', '{\\"version\\":99,\\"schema\\"');
    await restore(world, newer);
    const datas = async (): Promise<unknown> => {
      const image = await takeImage(redis, scenario.name);
      const jobs = Object.entries(image).flatMap(([name, { type, value }]) =>
        type === 'hash' && 'data' in value ? [[name, (value as Record<string, string>)['data']]] : [],
      );
      return { jobs, settings: image[':settings'] };
    };
    const before = await datas();
    expect(JSON.stringify(before)).toContain('99');
    await scenario.startWorker();
    await scenario.makeDue();
    // The worker works meanwhile.
    await scenario.publish(5);
    await scenario.untilAccepted(5);
    const set = await scenario.command('settings', 'set', 'another', '{"websocket":{}}');
    expect(set).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning: WEBSOCKET_ENABLED .*\n$/),
    });
    const get = await scenario.command('settings', 'get', ORDERED_INSTANCE);
    expect({ code: get.code, said: get.stderr }).toEqual({
      code: 1,
      said: expect.stringContaining('a later version of the relay wrote them: use that version'),
    });
    await scenario.stopWorkers();
    const after = (await datas()) as { jobs: unknown; settings: { value: Record<string, string> } };
    const { another: _another, ...settings } = after.settings.value;
    expect({ jobs: after.jobs, settings }).toEqual({
      jobs: (before as typeof after).jobs,
      settings: (before as typeof after).settings.value,
    });
    expect(scenario.receiver.missing(world.parked)).toEqual(world.parked);
  });
});

test('a rolling restart under load, over and back: lost 0, and what one of them parked the other one delivers', async () => {
  // Parked by whoever runs, due after five seconds: by then another one does.
  scenario.receiver.behaviour = everyNth(5, 1, { status: 503 });
  const first = await scenario.startWorker({}, RELEASED);
  const publishing = scenario.publish(1500, 250);
  let running = first;
  for (let round = 0; round < 3; round++) {
    const next = await scenario.startWorker({}, round % 2 === 0 ? {} : RELEASED);
    running.signal('SIGTERM');
    expect(await running.ended(30_000)).toEqual({ code: 0, signal: null });
    running = next;
    await eventually(
      () => (scenario.receiver.distinct > 200 * (round + 1) ? true : undefined),
      'it delivers',
      60_000,
    );
  }
  await publishing;
  const { duplicates } = await scenario.conclude('a rolling restart');
  expect(duplicates).toBe(0);
  expect((await scenario.audit(WEBHOOK)).delivered).toBe(1500);
});
