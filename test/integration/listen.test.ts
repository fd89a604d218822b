import type { IncomingHttpHeaders } from 'node:http';
import { streamKeys } from '../../src/destinations/websocket/stream';
import { Feeder } from '../support/clients/websockets';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import { ListenProcess } from '../support/processes/listen';
import { HttpTarget, type ReceivedRequest, respond } from '../support/servers/http-target';
import { eventually } from '../support/signals/signals';
import { eventBody, fixture } from '../support/values/events';
import { nth } from '../support/values/items';

jest.setTimeout(240_000);

const SECRET = `whsec_${Buffer.from('the secret of one webhook').toString('base64')}`;
const keyOf = ({ body }: ReceivedRequest): string =>
  (JSON.parse(body.toString()) as { data: { key: { id: string } } }).data.key.id;

describe('listen', () => {
  let gateway: GatewayHarness;
  let feeder: Feeder;
  let target: HttpTarget;
  const running: ListenProcess[] = [];

  beforeAll(async () => {
    gateway = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
    feeder = new Feeder(gateway.connectRedis(), gateway.prefix);
  });
  afterAll(async () => {
    feeder.close();
    await gateway.close();
  });
  beforeEach(async () => {
    target = await HttpTarget.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.kill()));
    await target.stop();
  });

  /** Listens from now on. */
  async function listen(instance: string, ...args: readonly string[]): Promise<ListenProcess> {
    const started = start(instance, ...args);
    await started.untilSays(/connected/);
    return started;
  }
  function start(instance: string, ...args: readonly string[]): ListenProcess {
    const all = [
      '--gateway',
      gateway.url,
      '--instance',
      instance,
      '--forward',
      `${target.url}/webhook`,
      ...args,
    ];
    const started = new ListenProcess([...all], { AUTHENTICATION_API_KEY: API_KEY });
    running.push(started);
    return started;
  }

  test('posts what comes, prints one line each, and ends with a summary from which the next one goes on', async () => {
    const first = await listen('loja-a');
    await feeder.feed('loja-a', 3);
    await target.received.count(3);
    await first.untilSays(/(?:.*messages\.upsert 200 \d+ ms\n){3}/);
    expect(await first.interrupt()).toEqual({ code: 0, signal: null });
    const [, last = ''] =
      /3 delivered\nto go on from here: --last-event-id (\S+)\n$/.exec(first.output) ?? [];
    const keys = await feeder.feed('loja-a', 2);
    await listen('loja-a', '--last-event-id', last);
    expect((await target.received.count(5)).slice(3).map(keyOf)).toEqual(keys);
  });

  test('loses nothing and repeats nothing while the gateway is killed and started anew', async () => {
    const listening = await listen('loja-b');
    const keys = await feeder.feed('loja-b', 20);
    await target.received.count(20);
    const replacing = gateway.replaceProcess();
    keys.push(...(await feeder.feed('loja-b', 30)));
    await replacing;
    keys.push(...(await feeder.feed('loja-b', 20)));
    expect((await target.received.count(70)).map(keyOf)).toEqual(keys);
    expect(listening.output).toMatch(/the connection ended|ended the connection/);
    await listening.interrupt();
    expect(listening.output).toMatch(/^70 delivered$/m);
    expect(target.received.all).toHaveLength(70);
  });

  test('says that nothing can come where the instance has no websocket section, or has it switched off', async () => {
    const waiting = await listen('loja-off');
    await waiting.untilSays(
      /the websocket section of loja-off is not set, and no event comes before it is: settings set/,
    );
    await waiting.interrupt();
    await gateway.ask('POST', '/websocket/set/loja-off', { body: { websocket: { enabled: false } } });
    const again = await listen('loja-off');
    await again.untilSays(/the websocket section of loja-off is not switched on/);
    await again.interrupt();
    await gateway.ask('POST', '/websocket/set/loja-off', { body: { websocket: { enabled: true } } });
    const well = await listen('loja-off');
    await feeder.feed('loja-off', 1);
    await target.received.count(1);
    await well.interrupt();
    expect(well.output).not.toContain('websocket section');
  });

  test('does not say that one may go on from what the gateway refuses', async () => {
    const refused = start('loja-g', '--last-event-id', 'garbage');
    expect((await refused.exited).code).toBe(1);
    expect(refused.output).toContain('last-event-id: must be the id of an event');
    expect(refused.output).not.toContain('to go on from here');
  });

  test('says what the gateway no longer has', async () => {
    const first = await listen('loja-c');
    await feeder.feed('loja-c', 1);
    await target.received.count(1);
    await first.interrupt();
    const [, last = ''] = /--last-event-id (\S+)/.exec(first.output) ?? [];
    await feeder.feed('loja-c', 3);
    const redis = gateway.connectRedis();
    await redis.del(streamKeys(gateway.prefix, 'loja-c').stream);
    redis.disconnect();
    const second = await listen('loja-c', '--last-event-id', last);
    await second.untilSays(/relay\.gap: events after \S+ and up to \S+ are lost/);
    await second.interrupt();
    expect(second.output).toMatch(/0 delivered, 1 gap/);
  });

  test('only what is asked for, by name and by what it says', async () => {
    const filter = ['--filter', '{"data.key.id":{"$ne":"left out"}}'];
    const listening = await listen('loja-d', '--events', 'MESSAGES_UPSERT', ...filter);
    const of = (extra: object): Buffer => eventBody(1, { instance: 'loja-d', ...extra });
    await feeder.feedBody('loja-d', of({ event: 'presence.update' }));
    await feeder.feedBody('loja-d', of({ data: { key: { id: 'left out' } } }));
    await feeder.feedBody('loja-d', of({ data: { key: { id: 'wanted' } } }));
    expect((await target.received.count(1)).map(keyOf)).toEqual(['wanted']);
    await listening.interrupt();
    expect(listening.output).toMatch(/1 delivered, 2 left out/);
  });

  test('what fails is tried three times and given up on; what follows goes on in its order', async () => {
    target.answer = respond(500);
    const listening = await listen('loja-e');
    const keys = await feeder.feed('loja-e', 2);
    await listening.untilSays(/500 \d+ ms \(attempt 3, given up\)/);
    target.answer = respond(200);
    await listening.untilSays(/200 \d+ ms/);
    const received = target.received.all.map((each) => [
      keyOf(each),
      each.headers['x-evolution-relay-attempt'],
    ]);
    expect(received.slice(0, 4)).toEqual([
      [keys[0], '1'],
      [keys[0], '2'],
      [keys[0], '3'],
      [keys[1], '1'],
    ]);
    expect(new Set(target.received.all.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await listening.interrupt();
    expect(listening.output).toMatch(/1 delivered, 1 failed/);
  });

  test('while nothing listens on this machine it waits, and nothing is lost', async () => {
    const { url } = target;
    const listening = await listen('loja-f');
    await target.stop();
    const keys = await feeder.feed('loja-f', 300);
    await listening.untilSays(/ECONNREFUSED nothing listens.* waiting for http:/);
    target = await HttpTarget.start(Number(new URL(url).port));
    expect((await target.received.count(300)).map(keyOf)).toEqual(keys);
    await listening.interrupt();
    expect(listening.output.match(/waiting/g)).toHaveLength(1);
  });

  test.each([
    [
      'a wrong token',
      ['--token', 'wrong'],
      1,
      /the gateway answers 401: .*; give the instance's own token with --token/,
    ],
    ['an id that is none', ['--last-event-id', 'x'], 1, /the gateway answers 400: last-event-id/],
  ] as const)('%s ends it, and is named', async (_what, args, code, text) => {
    const listening = start('loja-g', ...args);
    expect(await listening.exited).toEqual({ code, signal: null });
    expect(listening.output).toMatch(text);
  });

  test('a gateway whose WebSockets are off ends it, and the variable is named', async () => {
    // It answers an upgrade as any other request.
    target.answer = (response) =>
      response.end('{"status":200,"message":"Welcome","clientName":"evolution-relay"}');
    const listening = new ListenProcess([
      ...['--gateway', target.url, '--token', 'x', '--forward', target.url],
    ]);
    running.push(listening);
    expect((await listening.exited).code).toBe(1);
    expect(listening.output).toContain('set WEBSOCKET_ENABLED=true');
    expect(listening.output).not.toContain('Welcome');
  });

  test('while no gateway answers it tries again, and says where', async () => {
    const listening = new ListenProcess([
      '--gateway',
      'http://127.0.0.1:9',
      '--token',
      'x',
      '--forward',
      target.url,
    ]);
    running.push(listening);
    await listening.untilSays(
      /(?:http:\/\/127\.0\.0\.1:9: ECONNREFUSED nothing listens there.*trying again in .*\n){2}/,
    );
    expect(await listening.interrupt()).toEqual({ code: 0, signal: null });
  });
});

test('a server of a developer receives what the webhook of the instance does: body, headers, signature and webhook-id', async () => {
  const [theirs, ours] = [await HttpTarget.start(), await HttpTarget.start()];
  const scenario = await Scenario.start({
    env: {
      WEBSOCKET_ENABLED: 'true',
      AUTHENTICATION_API_KEY: API_KEY,
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    },
  });
  const headers = { 'x-shop': 'centro', jwt_key: 'a key for tokens' };
  const settings = {
    token: 'a-token-of-the-shop',
    webhook: { url: theirs.url, byEvents: true, secret: SECRET, headers },
    websocket: {},
  };
  const set = await scenario.command('settings', 'set', 'loja-centro', JSON.stringify(settings));
  expect([set.code, set.stderr]).toEqual([0, expect.any(String)]);
  const relay = await scenario.startBoth();
  const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}:${value}`]);
  const listening = new ListenProcess([
    ...['--gateway', `http://127.0.0.1:${relay.gatewayPort}`, '--instance', 'loja-centro'],
    ...['--token', 'a-token-of-the-shop', '--forward', ours.url, '--by-events', '--secret', SECRET, ...given],
  ]);
  try {
    await listening.untilSays(/connected/);
    const names = ['messages.upsert.json', 'messages.upsert.group.json', 'presence.update.json'];
    for (const name of names) {
      const body = (): Buffer => fixture(name);
      await scenario.publishEvents([{ key: name, routingKey: name.replace(/(\.group)?\.json$/, ''), body }]);
      await eventually(() => (ours.received.all.length > names.indexOf(name) ? true : undefined), name);
    }
    await theirs.received.count(names.length);
    for (const [index, mine] of ours.received.all.entries()) {
      const other = nth(theirs.received.all, index);
      expect(mine.path).toBe(other.path);
      expect(mine.body.toString()).toBe(other.body.toString().replace(theirs.url, ours.url));
      expect(withoutTimes(mine.headers)).toEqual(withoutTimes(other.headers));
      expect(mine.headers['webhook-signature']).toMatch(/^v1,/);
    }
    expect(await listening.interrupt()).toEqual({ code: 0, signal: null });
    await scenario.stopWorkers();
  } finally {
    await listening.kill();
    await Promise.all([theirs.stop(), ours.stop()]);
    await scenario.close();
  }
});

/** What differs by the moment, the address or the length of the address. */
function withoutTimes(headers: IncomingHttpHeaders): Record<string, unknown> {
  const moving = [
    'webhook-timestamp',
    'webhook-signature',
    'x-timestamp',
    'host',
    'content-length',
    'authorization',
  ];
  return {
    ...Object.fromEntries(Object.entries(headers).filter(([name]) => !moving.includes(name))),
    scheme: headers.authorization?.split(' ')[0],
  };
}
