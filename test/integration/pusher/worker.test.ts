import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { browserProgram, launchBrowser } from '../../support/clients/browser';
import { messageEvents, type OutgoingEvent } from '../../support/clients/publisher';
import type { Environment } from '../../support/processes/relay';
import { connectClient, subscribe } from '../../support/pusher/client';
import { API_KEY, LocalGateway } from '../../support/pusher/gateway';
import type { PusherApp } from '../../support/pusher/rules';
import { PUSHER, PusherScenario, withPoison } from '../../support/pusher/scenario';
import { HttpTarget, respond } from '../../support/servers/http-target';
import { eventually, Happenings } from '../../support/signals/signals';

jest.setTimeout(120_000);

const OWN: PusherApp = { id: '77', key: 'own-key', secret: 'own-secret' };

describe('a worker with Pusher', () => {
  let harness: PusherScenario;
  let gateway: LocalGateway | undefined;

  async function start(env: Environment = {}): Promise<void> {
    harness = await PusherScenario.start(env);
  }
  async function startGateway(env: Environment = {}): Promise<LocalGateway> {
    gateway = await LocalGateway.start({ ...harness.scenario.env, LOG_LEVEL: 'error', ...env });
    return gateway;
  }
  afterEach(async () => {
    await harness.close();
    await gateway?.stop();
    gateway = undefined;
  });

  function named(events: readonly OutgoingEvent[], event: string): OutgoingEvent[] {
    return events.map((each) => ({
      ...each,
      routingKey: event,
      body: () => Buffer.from(JSON.stringify({ ...JSON.parse(each.body().toString('utf8')), event })),
    }));
  }

  test("the global app and an instance's own get what each wants, each counted on its own", async () => {
    await start({ PUSHER_EVENTS_MESSAGES_UPSERT: 'true', WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' });
    const { scenario, server } = harness;
    server.addApp(OWN);
    const own = { appId: OWN.id, key: OWN.key, secret: OWN.secret, cluster: 'eu', useTLS: false };
    const at = { host: '127.0.0.1', port: server.port, events: ['CALL'] };
    const set = await scenario.command(
      'settings',
      'set',
      'instance-1',
      JSON.stringify({ pusher: { ...own, ...at } }),
    );
    expect(set).toMatchObject({ code: 0 });
    await scenario.startWorker();
    await scenario.publishEvents(messageEvents('upsert', 20));
    await scenario.publishEvents(named(messageEvents('call', 20), 'call'));
    await harness.untilTaken(24);
    await scenario.untilAudited(({ delivered }) => delivered === 20, PUSHER);
    await scenario.untilAudited(({ delivered }) => delivered === 4, 'pusher:instance/instance-1');
    const seen = server.published.all.map(({ app, channel, name }) => `${app} ${channel} ${name}`);
    expect([...new Set(seen)].sort()).toEqual(
      [0, 1, 2, 3, 4].map((n) => `1234567 instance-${n} messages.upsert`).concat('77 instance-1 call'),
    );
    await scenario.stopWorkers();
  });

  test('settings that Pusher cannot take are refused with the rule', async () => {
    await start();
    const pusher = { appId: '1', key: 'k', secret: 's', cluster: 'eu' };
    const set = (instance: string, others: object) =>
      harness.scenario.command(
        'settings',
        'set',
        instance,
        JSON.stringify({ pusher: { ...pusher, ...others } }),
      );
    for (const [instance, others, rule] of [
      ['loja são', {}, 'letters, digits and _ - = @ , . ;'],
      ['x'.repeat(201), {}, 'at most 164 characters'],
      ['loja', { cluster: 'eu.evil.example/' }, 'pusher.cluster: must be the short name'],
      ['loja', { host: 'evil.example/x?' }, 'pusher.host: must be the name'],
      ['loja', { host: '169.254.169.254' }, 'pusher: host leads inside'],
      ['loja', { appId: '../apps' }, 'pusher.appId: must be of letters'],
    ] as const) {
      const { code, stderr } = await set(instance, others);
      expect([code, stderr]).toEqual([2, expect.stringContaining(rule)]);
    }
    expect(await set('loja são', { enabled: false })).toMatchObject({ code: 0 });
    await (await harness.scenario.startWorker()).kill();
  });

  test('what is too large is dead-lettered as oversize, with an error in the log, and can be looked at', async () => {
    await start();
    const { scenario } = harness;
    const worker = await scenario.startWorker();
    await scenario.publishEvents(withPoison(messageEvents(scenario.name, 3), 3, 12_000));
    await harness.untilTaken(2);
    await scenario.untilAudited(({ dead }) => dead === 1, PUSHER);
    await worker.untilLogged('"reason":"oversize"');
    expect(worker.log.split('\n').find((line) => line.includes('oversize'))).toContain('"level":"error"');
    expect(await worker.metric('relay_dead_letters_total{reason="oversize"}')).toBe(1);
    const { stdout } = await scenario.command('dead-letters', 'ls', '--reason', 'oversize', '--json');
    const { id } = JSON.parse(stdout.trim().split('\n')[0] ?? '') as { id: string };
    const shown = await scenario.command('dead-letters', 'show', id);
    expect(shown.stdout).toContain('Pusher takes 10240');
    expect(shown.stdout).toContain('xxxxxxxx');
    await scenario.stopWorkers();
  });

  test('with references a subscriber gets a link, and the whole event behind it', async () => {
    await start();
    const running = await startGateway();
    const { scenario, server, app } = harness;
    const client = connectClient(server, app);
    const seen = new Happenings<{ reference: { url: string; bytes: number } }>();
    (await subscribe(client, 'instance-0')).bind('messages.upsert', (data: never) => seen.add(data));
    await scenario.startWorker({ PUSHER_OVERSIZE: 'reference', GATEWAY_URL: running.url });
    const [event] = withPoison(messageEvents(scenario.name, 1), 1, 50_000);
    await scenario.publishEvents(event === undefined ? [] : [event]);
    const [stub] = await seen.count(1);
    const answer = await fetch(stub?.reference.url ?? '');
    const text = await answer.text();
    expect([answer.status, Buffer.byteLength(text)]).toEqual([200, stub?.reference.bytes]);
    expect(JSON.parse(text)).toMatchObject({
      destination: app.id,
      data: { key: { id: `${scenario.name}-0` } },
    });
    client.disconnect();
    await scenario.untilAudited(({ delivered }) => delivered === 1, PUSHER);
    await scenario.stopWorkers();
  });

  test('events for channels that nobody subscribes to are counted as discarded, and not sent', async () => {
    await start({ PUSHER_SKIP_VACANT_CHANNELS: 'true' });
    const running = await startGateway();
    const { scenario, server, app } = harness;
    app.webhookUrl = `${running.url}/pusher/webhook/${app.id}`;
    const client = connectClient(server, app);
    await subscribe(client, 'instance-0');
    const worker = await scenario.startWorker();
    // The first ones of all are sent whatever is known.
    await scenario.publish(50);
    const discarded = 'relay_discarded_total{destination="pusher",reason="vacant"}';
    await eventually(async () => {
      await scenario.publish(10, 100);
      return (await worker.metric(discarded)) > 0 || undefined;
    }, 'vacant channels are skipped');
    const count = scenario.published.length;
    await scenario.publish(100);
    const audit = await scenario.untilAudited(({ accepted }) => accepted === count + 100, PUSHER);
    expect(audit).toMatchObject({ difference: 0, parked: 0, dead: 0 });
    expect(audit.discarded).toBe(await worker.metric(discarded));
    expect(audit.discarded).toBeGreaterThanOrEqual(80);
    expect(
      harness.missing(scenario.published.filter((key) => Number(key.split('-').at(-1)) % 5 === 0)),
    ).toEqual([]);
    client.disconnect();
    await server.webhooks.idle();
    await scenario.stopWorkers();
  });

  test('doctor tells a wrong secret from a wrong cluster and a suspended app', async () => {
    await start();
    const { scenario, app } = harness;
    const doctor = async (env: Environment = {}) => {
      const { stdout } = await scenario.commandWith(env, 'doctor', '--json');
      const { findings } = JSON.parse(stdout) as {
        findings: { part: string; state: string; detail: string }[];
      };
      const found = findings.find(({ part }) => part === PUSHER);
      return [found?.state, found?.detail.split(' ')[0]];
    };
    expect(await doctor()).toEqual(['ok', 'takes']);
    expect(await doctor({ PUSHER_GLOBAL_SECRET: 'wrong' })).toEqual(['trouble', 'wrong-credentials']);
    expect(await doctor({ PUSHER_GLOBAL_APP_ID: '999' })).toEqual(['trouble', 'unknown-app']);
    expect(await doctor({ PUSHER_MAX_EVENT_BYTES: '20480' })).toEqual(['trouble', 'too-large']);
    app.disabled = true;
    expect(await doctor()).toEqual(['trouble', 'over-quota-or-suspended']);
    await (await scenario.startWorker()).kill();
  });

  (browserProgram() === undefined ? describe.skip : describe)('in a browser', () => {
    let browser: Browser;
    let site: HttpTarget;
    beforeAll(async () => {
      browser = await launchBrowser();
      site = await HttpTarget.start();
      site.answer = respond(200, { 'content-type': 'text/html' }, '<!doctype html><title>page</title>');
    });
    afterAll(async () => {
      await browser.close();
      await site.stop();
    });

    const PUSHER_JS = readFileSync(
      require.resolve('pusher-js/dist/web/pusher-with-encryption.min.js'),
      'utf8',
    );

    test.each(['', 'presence-', 'private-encrypted-'])(
      'a page gets the events of channels with the prefix "%s", and opens a link',
      async (prefix) => {
        await start({
          PUSHER_CHANNEL_PREFIX: prefix,
          PUSHER_ENCRYPTION_MASTER_KEY_BASE64: Buffer.alloc(32, 7).toString('base64'),
        });
        const running = await startGateway();
        const { scenario, server, app } = harness;
        await scenario.startWorker({ PUSHER_OVERSIZE: 'reference', GATEWAY_URL: running.url });
        const page = await browser.newPage();
        // A page of an origin of its own: links and signatures must work across origins.
        await page.goto(site.url);
        await page.addScriptTag({ content: PUSHER_JS });
        const channel = `${prefix}instance-0`;
        const args = { key: app.key, port: server.port, channel, gateway: running.url, apikey: API_KEY };
        await page.evaluate(`(${PAGE_SCRIPT})(${JSON.stringify(args)})`);
        await page.waitForFunction('window.subscribed === true');
        const [small] = messageEvents(`${scenario.name}-small`, 1);
        const [large] = withPoison(messageEvents(`${scenario.name}-large`, 1), 1, 40_000);
        await scenario.publishEvents([small, large].flatMap((event) => event ?? []));
        await page.waitForFunction('window.seen.length === 2');
        expect(await page.evaluate('window.seen')).toEqual([
          { id: `${scenario.name}-small-0`, length: 'message 0 '.repeat(40).length },
          { id: `${scenario.name}-large-0`, length: 40_000 },
        ]);
        await page.close();
        await scenario.stopWorkers();
      },
    );
  });
});

/** Runs in the page: subscribes with the real pusher-js, and follows references as a page would. */
const PAGE_SCRIPT = `({ key, port, channel, gateway, apikey }) => {
  window.seen = [];
  const pusher = new Pusher(key, {
    cluster: 'test', wsHost: '127.0.0.1', wsPort: port, forceTLS: false, enabledTransports: ['ws'], disableStats: true,
    channelAuthorization: { transport: 'ajax', endpoint: gateway + '/pusher/auth', headers: { apikey } },
  });
  const subscription = pusher.subscribe(channel);
  subscription.bind('pusher:subscription_succeeded', () => { window.subscribed = true; });
  subscription.bind('pusher:subscription_error', (error) => { document.title = JSON.stringify(error); });
  subscription.bind('messages.upsert', async (event) => {
    const whole = event.reference ? await (await fetch(event.reference.url)).json() : event;
    window.seen.push({ id: whole.data.key.id, length: whole.data.message.conversation.length });
  });
}`;
