import type { AttemptTarget } from '../../src/pipeline/circuit';
import type { DestinationId, Endpoint, Outcome } from '../../src/pipeline/delivery';
import { HealthHarness, type HealthSettings } from '../support/harness/health-harness';
import { DELIVERED, FAILED } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deferred, eventually } from '../support/signals/signals';

const ID = 'webhook:instance/loja-centro' as DestinationId;
const GONE: Outcome = { kind: 'failed', code: 'HTTP_410', status: 410, gone: true };
const ELSEWHERE: Endpoint = { shown: 'http://elsewhere.test/hook', print: 'bbbb' };

let store: StoreHarness;
let workers: HealthHarness[];
beforeEach(async () => {
  store = await StoreHarness.open();
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map(({ board }) => board.stop()));
  await store.close();
});

function worker(settings: HealthSettings = {}): HealthHarness {
  const made = new HealthHarness(store.store, settings);
  made.board.start();
  workers.push(made);
  return made;
}
const at = (print: string): AttemptTarget => ({
  timeoutMs: 30_000,
  endpoint: () => ({ shown: '', print }),
});
/** Records of destinations that are not well, as Redis has them. */
const recordsThere = async (): Promise<unknown> => {
  const [, records] = (await store.store.call('relayDestinations')) as unknown[];
  return records;
};
const untilOpen = (at: HealthHarness, isOpen = true): Promise<true> =>
  eventually(() => (at.circuit(ID).isOpen === isOpen ? true : undefined), `circuit open: ${isOpen}`);
const untilChosen = (...all: HealthHarness[]): Promise<HealthHarness> =>
  eventually(
    () => all.find((each) => each.circuit(ID).closedIn() === 0 && each.circuit(ID).isChosen),
    'one worker that may let an attempt through',
  );

describe('health that all workers share', () => {
  test('one that fails is tried at its new address at once, and only success there lets others follow', async () => {
    const one = worker();
    one.circuit(ID);
    await one.fail(ID, FAILED);
    await eventually(() => one.board.recordOf(ID), 'the record');
    one.endpoints.settingsChanged('loja-centro');
    await one.board.poll();
    expect(one.circuit(ID).closedIn()).toBeGreaterThan(50_000);
    one.endpoint = ELSEWHERE;
    one.endpoints.settingsChanged('loja-centro');
    await untilChosen(one);
    await one.circuit(ID).run(async () => FAILED, { timeoutMs: 30_000 });
    expect(one.circuit(ID).closedIn()).toBeGreaterThan(50_000);
  });

  test('what fails at the address before says nothing of the one that it has now', async () => {
    for (const outcome of [FAILED, GONE]) {
      const one = worker();
      one.circuit(ID);
      one.endpoint = ELSEWHERE;
      await one.fail(ID, outcome, at('aaaa'));
      await untilOpen(one, false);
      expect(await recordsThere()).toEqual([]);
    }
  });

  test('an attempt that finds out about the address before keeps nobody from trying the new one', async () => {
    const one = worker({ openMs: 50 });
    one.circuit(ID);
    await one.fail(ID, FAILED, at('aaaa'));
    await untilChosen(one);
    const hanging = deferred<Outcome>();
    const old = one.circuit(ID).run(() => hanging.promise, at('aaaa'));
    one.endpoint = ELSEWHERE;
    one.endpoints.settingsChanged('loja-centro');
    await untilChosen(one);
    await one.circuit(ID).run(async () => DELIVERED, at('bbbb'));
    expect(one.circuit(ID).isOpen).toBe(false);
    hanging.resolve(FAILED);
    await old;
    expect(one.circuit(ID).isOpen).toBe(false);
  });

  test('an address that is changed before anybody has heard that the one before fails is tried at once', async () => {
    const one = new HealthHarness(store.store);
    workers.push(one);
    one.circuit(ID);
    await one.board.poll();
    await one.fail(ID, FAILED, at('aaaa'));
    await eventually(async () => ((await recordsThere()) as unknown[])[0], 'the record');
    one.endpoint = ELSEWHERE;
    one.endpoints.settingsChanged('loja-centro');
    one.board.start();
    await untilChosen(one);
  });

  test('a circuit that one worker opened is open at the others, and one of them logs it', async () => {
    const [one, other] = [worker(), worker()];
    other.circuit(ID);
    await one.fail(ID, FAILED);
    await untilOpen(other);
    expect(one.log.all).toEqual(['failing TIMEOUT http://receiver.test/hook 0']);
    expect(other.log.all).toEqual([]);
    expect(other.circuit(ID).closedIn()).toBeGreaterThan(50_000);
  });

  test('a worker that comes later knows what is not well before its first attempt', async () => {
    await worker().fail(ID, FAILED);
    const late = worker();
    await eventually(() => (late.board.records.length === 1 ? true : undefined), 'the record');
    expect(late.circuit(ID).isOpen).toBe(true);
  });

  test('of several workers one lets an attempt through; its success closes the circuit of all', async () => {
    const all = [worker({ openMs: 50 }), worker({ openMs: 50 }), worker({ openMs: 50 })];
    for (const each of all) each.circuit(ID);
    await all[0]?.fail(ID, FAILED);
    for (const each of all) await untilOpen(each);
    const chosen = await untilChosen(...all);
    const probe = deferred<Outcome>();
    const result = chosen.circuit(ID).run(() => probe.promise, { timeoutMs: 30_000 });
    const others = all.filter((each) => each !== chosen);
    // They ask again and again.
    for (let asked = 0; asked < 20; asked++) {
      for (const other of others) expect(other.circuit(ID).closedIn()).toBeGreaterThan(0);
      await store.store.oldestAgeSeconds();
    }
    probe.resolve(DELIVERED);
    await result;
    for (const each of all) await untilOpen(each, false);
    const lines = await eventually(() => {
      const told = all.flatMap(({ log }) => log.all);
      return told.length >= 2 ? told : undefined;
    }, 'both lines');
    expect(lines.sort()).toEqual([
      'failing TIMEOUT http://receiver.test/hook 0',
      'recovered http://receiver.test/hook',
    ]);
  });

  test('a worker that was chosen and died keeps the others waiting for a while only', async () => {
    const dead = worker({ openMs: 50 });
    dead.circuit(ID);
    await dead.fail(ID, FAILED);
    await untilChosen(dead);
    await store.withRedis(async (redis) => {
      const key = `{${store.prefix}}:health`;
      const [field = '', text = ''] = Object.entries(await redis.hgetall(key))[0] ?? [];
      const record = JSON.parse(text);
      await redis.hset(key, field, JSON.stringify({ ...record, claim: { ...record.claim, untilMs: 1 } }));
    });
    const other = worker({ openMs: 50 });
    await untilOpen(other).catch(() => {});
    expect(await untilChosen(other)).toBe(other);
  });

  test('what fails while Redis is away opens here, and is told once Redis is back', async () => {
    let isAway = true;
    const one = new HealthHarness({
      get isReady() {
        return !isAway;
      },
      call: (script, ...args) =>
        isAway ? Promise.reject(new Error('away')) : store.store.call(script, ...args),
    });
    workers.push(one);
    const other = worker();
    other.circuit(ID);
    await one.fail(ID, FAILED);
    expect(one.circuit(ID).isOpen).toBe(true);
    await one.board.poll();
    isAway = false;
    one.board.start();
    await untilOpen(other);
  });

  test('without Redis a worker lets an attempt through by itself', async () => {
    const alone = new HealthHarness(
      { isReady: false, call: () => Promise.reject(new Error('away')) },
      { openMs: 20 },
    );
    await alone.fail(ID, FAILED);
    await untilChosen(alone);
    await alone.circuit(ID).run(async () => DELIVERED);
    expect(alone.circuit(ID).isOpen).toBe(false);
  });

  test('a store that was emptied is read anew', async () => {
    const [one, other] = [worker(), worker()];
    other.circuit(ID);
    await one.fail(ID, FAILED);
    await untilOpen(other);
    await store.withRedis((redis) =>
      redis.del(`{${store.prefix}}:health`, `{${store.prefix}}:health-version`),
    );
    other.board.readAnew();
    await untilOpen(other, false);
  });
});

describe('a suspended destination', () => {
  test('is one that said that it is gone: at all workers, and after a restart', async () => {
    const [one, other] = [worker(), worker()];
    other.circuit(ID);
    await one.circuit(ID).run(async () => GONE);
    await untilOpen(other);
    const late = worker();
    await eventually(() => (late.board.records.length === 1 ? true : undefined), 'the record');
    for (const each of [one, other, late]) {
      expect(each.circuit(ID).obstacle).toBe('suspended');
      expect(each.circuit(ID).closedIn()).toBeGreaterThan(86_000_000);
    }
    await one.log.count(1);
    expect(one.log.all).toEqual(['suspended HTTP_410 http://receiver.test/hook']);
  });

  test('is one that failed for too long without one success, whichever workers saw it', async () => {
    const settings = { openMs: 20, suspendAfterMs: 400 };
    const all = [worker(settings), worker(settings)];
    await all[0]?.fail(ID, FAILED);
    const suspended = async (): Promise<boolean> => {
      const chosen = all.find((each) => each.circuit(ID).closedIn() === 0);
      await chosen?.circuit(ID).run(async () => FAILED);
      return all.every((each) => each.circuit(ID).obstacle === 'suspended');
    };
    await eventually(async () => ((await suspended()) ? true : undefined), 'suspended at both');
    expect(all.flatMap(({ log }) => log.all)).toEqual([
      'failing TIMEOUT http://receiver.test/hook 0',
      'suspended TIMEOUT http://receiver.test/hook',
    ]);
  });

  test('is probed once a day by one worker, and goes on where that succeeds', async () => {
    const [one, other] = [worker(), worker()];
    other.circuit(ID);
    await one.circuit(ID).run(async () => GONE);
    await untilOpen(other);
    // As if a day had passed.
    await store.withRedis(async (redis) => {
      const key = `{${store.prefix}}:health`;
      const [field = '', text = ''] = Object.entries(await redis.hgetall(key))[0] ?? [];
      await redis.hset(key, field, JSON.stringify({ ...JSON.parse(text), untilMs: 1 }));
    });
    for (const each of [one, other]) each.board.readAnew();
    const chosen = await untilChosen(one, other);
    await chosen.circuit(ID).run(async () => DELIVERED);
    for (const each of [one, other]) await untilOpen(each, false);
  });

  test('goes on once it has another address, and is forgotten once it is removed', async () => {
    const one = worker();
    await one.circuit(ID).run(async () => GONE);
    await one.log.count(1);
    await eventually(() => (one.board.records.length === 1 ? true : undefined), 'the record');
    one.endpoints.settingsChanged(undefined);
    one.endpoint = { shown: 'http://receiver.test/other', print: 'bbbb' };
    one.endpoints.settingsChanged(undefined);
    await untilOpen(one, false);
    await one.circuit(ID).run(async () => GONE);
    await eventually(() => (one.board.records.length === 1 ? true : undefined), 'the record');
    one.endpoint = undefined;
    one.endpoints.settingsChanged(undefined);
    await untilOpen(one, false);
  });
});

test('a destination that fails is forgotten once it is removed: nobody is told of it for ever', async () => {
  const one = worker();
  await one.fail(ID, FAILED);
  await eventually(() => (one.board.records.length === 1 ? true : undefined), 'the record');
  one.endpoint = undefined;
  one.endpoints.settingsChanged(undefined);
  await eventually(() => (one.board.records.length === 0 ? true : undefined), 'no record');
});
