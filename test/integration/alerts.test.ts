import { Webhook } from 'standardwebhooks';
import type { Condition } from '../../src/alerts/alert-causes';
import { AlertStore } from '../../src/alerts/alert-store';
import { AlertWatch } from '../../src/alerts/alert-watch';
import type { Outcome } from '../../src/pipeline/delivery';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { Scenario } from '../support/harness/scenario';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { HttpTarget, type ReceivedRequest, refusedUrl, respond } from '../support/servers/http-target';
import { deferred, eventually, Happenings } from '../support/signals/signals';
import { nth } from '../support/values/items';

jest.setTimeout(120_000);

const SECRET = Buffer.from('alerts are signed as webhooks are').toString('base64');
const DELIVERED: Outcome = { kind: 'delivered', status: 200 };
const REFUSED: Outcome = { kind: 'rejected', code: 'HTTP_404', status: 404 };
const SILENT: Condition = { cause: 'instance-silent', subject: 'loja', since: 5, why: 'closed' };

/** A worker's watch over what a test lets it see. */
class Watching {
  readonly sent = new Happenings<string>();
  readonly ids: string[] = [];
  readonly failed = new Happenings<string>();
  readonly errors: unknown[] = [];
  conditions: readonly Condition[] = [];
  outcome: () => Promise<Outcome> = async () => DELIVERED;
  readonly watch: AlertWatch;

  constructor(store: StoreHarness, intervalMs = 900_000) {
    this.watch = new AlertWatch({
      store: new AlertStore(store.store),
      readings: { read: async () => ({ conditions: this.conditions, unread: new Set() }) },
      relay: 'test',
      intervalMs,
      send: (id) => {
        this.ids.push(id);
        return this.outcome();
      },
      saysAway: true,
      redisDetail: () => 'waiting',
      onSent: (cause) => this.sent.add(cause),
      onFailed: (cause) => this.failed.add(cause),
      onError: (error) => this.errors.push(error),
    });
  }

  async look(...conditions: readonly Condition[]): Promise<void> {
    this.conditions = conditions;
    await this.watch.look();
  }
}

describe('alerts of several workers', () => {
  let store: StoreHarness;
  let all: Watching[];
  beforeEach(async () => {
    store = await StoreHarness.open();
    all = [];
  });
  afterEach(async () => {
    for (const { watch } of all) await watch.stop();
    await store.close();
  });
  const worker = (intervalMs?: number): Watching => {
    const made = new Watching(store, intervalMs);
    all.push(made);
    return made;
  };
  const untilTold = (text: string): Promise<true> =>
    eventually(async () => ((await store.dump()).includes(text) ? true : undefined), `${text} in Redis`);

  test('are sent by one of them, once, and what was said outlives it', async () => {
    const [one, other] = [worker(), worker()];
    await one.look(SILENT);
    await other.look(SILENT);
    await one.sent.count(1);
    await untilTold('loja');
    await one.watch.stop();
    await other.look(SILENT);
    await other.look();
    expect(await other.sent.count(1)).toEqual(['instance-back']);
    expect(one.sent.all).toEqual(['instance-silent']);
  });

  test('that one could not send before it ended are sent by the next, under the same id', async () => {
    const [one, other] = [worker(), worker()];
    const cut = deferred<Outcome>();
    one.outcome = () => cut.promise;
    await one.look(SILENT);
    const stopping = one.watch.stop();
    // Its receiver may have it or not.
    cut.resolve({ kind: 'interrupted', code: 'SHUTDOWN' });
    await stopping;
    await other.look(SILENT);
    await other.sent.count(1);
    expect([one.sent.all, other.ids]).toEqual([[], one.ids]);
  });

  test('that no receiver took are said again an interval later, and hold nothing else up', async () => {
    const one = worker(60);
    one.outcome = async () => REFUSED;
    await one.look(SILENT);
    await one.failed.count(1);
    one.outcome = async () => DELIVERED;
    await eventually(async () => {
      await one.look(SILENT);
      return one.sent.all.length > 0 ? true : undefined;
    }, 'said again');
    expect(one.failed.all).toEqual(['instance-silent']);
  });

  test('of dead letters count those that came since, by their reasons', async () => {
    const one = worker();
    const destination = new FakeDestination();
    await store.bury(deliveries(destination, 2));
    await one.look();
    await untilTold('deadUntil');
    expect(one.sent.all).toEqual([]);
    await store.bury(deliveries(destination, 3, 10));
    const counted = await new AlertStore(store.store).newDeadLetters(0);
    expect(counted).toMatchObject({ count: 5, reasons: { rejected: 5 } });
    await one.look();
    expect(await one.sent.count(1)).toEqual(['dead-letters']);
  });

  test('keep nothing in Redis that does not expire', async () => {
    const one = worker();
    await one.look(SILENT);
    await untilTold('loja');
    const left = await store.withRedis((redis) =>
      Promise.all(['alerting', 'alerts-told'].map((name) => redis.pttl(`{${store.prefix}}:${name}`))),
    );
    expect(left.every((ms) => ms > 0)).toBe(true);
  });
});

test('a worker alerts of a destination that is suspended and resumed, signed as webhooks are; its endpoint being away holds nobody', async () => {
  const target = await HttpTarget.start();
  const secret = { ALERT_WEBHOOK_URL: `${target.url}/alerts?key=1`, ALERT_WEBHOOK_SECRET: SECRET };
  const scenario = await Scenario.start({ env: secret });
  try {
    target.answer = respond(503);
    await scenario.startWorker();
    await scenario.publish(1);
    await scenario.untilAllAccepted();
    // A destination has a name for commands once the audit has counted its first delivery.
    await eventually(async () => {
      const { code } = await scenario.command('destinations', 'suspend', 'webhook:global');
      return code === 0 ? true : undefined;
    }, 'suspended');
    const suspended = (): ReceivedRequest[] =>
      target.received.all.filter((each) => each.body.includes('destination-suspended'));
    const untilSuspended = (count: number): Promise<ReceivedRequest[]> =>
      eventually(() => (suspended().length >= count ? suspended() : undefined), `${count} attempts`);
    await untilSuspended(2);
    target.answer = respond(200);
    const { path, headers, body } = nth(await untilSuspended(3), 2);
    expect(path).toBe('/alerts?key=1');
    const signed = new Webhook(SECRET).verify(body.toString(), {
      'webhook-id': String(headers['webhook-id']),
      'webhook-timestamp': String(headers['webhook-timestamp']),
      'webhook-signature': String(headers['webhook-signature']),
    });
    expect(signed).toMatchObject({
      event: 'relay.alert',
      cause: 'destination-suspended',
      items: [{ subject: 'webhook:global', by: 'person' }],
    });
    // The same message at every attempt.
    expect(new Set(suspended().map((each) => each.headers['webhook-id'])).size).toBe(1);
    expect((await scenario.command('destinations', 'resume', 'webhook:global')).code).toBe(0);
    const last = await eventually(
      () => target.received.all.find((each) => each.body.includes('destination-recovered')),
      'recovered',
    );
    expect(JSON.parse(last.body.toString())).toMatchObject({ kind: 'over', total: 1 });
    await scenario.publish(1);
    await scenario.untilAllAccepted();
    await scenario.stopWorkers();
  } finally {
    await target.stop();
    await scenario.close();
  }
});

describe('alerts test', () => {
  test('says what came back', async () => {
    const target = await HttpTarget.start();
    const scenario = await Scenario.start();
    try {
      const env = { ALERT_WEBHOOK_URL: `${target.url}/x?token=geheim`, ALERT_FORMAT: 'slack' };
      const sent = await scenario.commandWith(env, 'alerts', 'test');
      expect([sent.code, sent.stdout]).toEqual([
        0,
        `sent to ${target.url} in the format slack: it answered 200\n`,
      ]);
      expect(nth(target.received.all, 0).body.toString()).toContain('This is a test');
      target.answer = respond(404, {}, 'no_team');
      const refused = await scenario.commandWith(env, 'alerts', 'test');
      expect([refused.code, refused.stderr]).toEqual([
        1,
        `not sent to ${target.url} (format slack): HTTP_404: no_team\n`,
      ]);
    } finally {
      await target.stop();
      await scenario.close();
    }
  });

  test.each([
    ['no address', {}, 2, /ALERT_WEBHOOK_URL: must be set/],
    ['an address that is none', { ALERT_WEBHOOK_URL: 'ftp://x' }, 2, /ALERT_WEBHOOK_URL: must be/],
    [
      'a format that is none',
      { ALERT_WEBHOOK_URL: 'http://x', ALERT_FORMAT: 'teams' },
      2,
      /ALERT_FORMAT: must be/,
    ],
    [
      'a host that is none',
      { ALERT_WEBHOOK_URL: 'http://nobody.invalid/x' },
      1,
      /(ENOTFOUND|EAI_AGAIN|RESOLVER_DOWN) the name/,
    ],
  ] as const)('%s is named', async (_what, env, code, text) => {
    const scenario = await Scenario.start();
    const result = await scenario.commandWith(env, 'alerts', 'test');
    await scenario.close();
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(text)]);
  });

  test('doctor finds an address where nobody listens', async () => {
    const url = await refusedUrl();
    const scenario = await Scenario.start();
    const { code, stdout } = await scenario.commandWith({ ALERT_WEBHOOK_URL: url }, 'doctor');
    await scenario.close();
    expect([code, stdout]).toEqual([1, expect.stringMatching(/alerts +connection +trouble .*ECONNREFUSED/)]);
  });
});
