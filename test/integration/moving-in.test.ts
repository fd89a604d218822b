import { randomBytes } from 'node:crypto';
import { type CommandResult, runCommand } from '../support/processes/command';
import { CORE_KEY, CoreApiServer, idOf } from '../support/servers/core-api';
import { HttpTarget, respond } from '../support/servers/http-target';
import { folderWith } from '../support/values/folders';

jest.setTimeout(120_000);

const folder = folderWith();
afterAll(folder.remove);

let core: CoreApiServer;
let env: Record<string, string>;
beforeEach(async () => {
  core = await CoreApiServer.start();
  env = {
    AUTHENTICATION_API_KEY: CORE_KEY,
    RABBITMQ_URI: 'amqp://127.0.0.1:1',
    REDIS_URI: process.env['REDIS_URI'] ?? '',
    REDIS_PREFIX_KEY: `moving-${randomBytes(6).toString('hex')}`,
  };
});
afterEach(() => core.stop());

const run = (args: readonly string[], others: Record<string, string> = {}): Promise<CommandResult> =>
  runCommand(args, { ...env, ...others }, folder.path);
const move = (...args: string[]): Promise<CommandResult> =>
  run(['settings', 'import', '--from-core', core.url, ...args]);

interface Stored {
  readonly instanceName: string;
  readonly [section: string]: unknown;
}

async function stored(): Promise<Stored[]> {
  const { stdout } = await run(['settings', 'export']);
  return JSON.parse(stdout) as Stored[];
}

const PUSHER = { appId: '1', key: 'k', secret: 's3cr3t', cluster: 'sa1', useTLS: true };
const URL_OF_LOJA = 'https://example.com/loja';

function shop(): void {
  core.add('loja', {
    webhook: {
      url: URL_OF_LOJA,
      headers: { 'x-key': 's3cr3t' },
      byEvents: true,
      events: ['MESSAGES_UPSERT'],
    },
    pusher: PUSHER,
    rabbitmq: { events: ['CALL'] },
    websocket: { enabled: false },
  });
}

describe('settings import --from-core', () => {
  test('shows what would change, no secret among it, and changes nothing', async () => {
    shop();
    core.add('norte');
    const { code, stdout, stderr } = await move();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/loja +webhook +new, off; the core API delivers it until --hand-over/);
    expect(stdout).toContain('Evolution API: 2 instances; 2 would change');
    expect(stdout).toContain('nothing was changed');
    expect(stdout).not.toContain('s3cr3t');
    expect(await stored()).toEqual([]);
  });

  test('the gateway of a relay is not taken for a core: handed over, its instances would be switched off where they are on', async () => {
    core.front = ({ path }) =>
      path === '/instance/fetchInstances'
        ? {
            status: 200,
            type: 'application/json',
            body: JSON.stringify([{ name: 'loja', clientName: 'evolution-relay' }]),
          }
        : undefined;
    for (const args of [[], ['--apply', '--hand-over']]) {
      const { code, stdout, stderr } = await move(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/gateway of a relay, not the core API/);
    }
  });

  test('both directions at once are refused before anything is asked', async () => {
    const { code, stderr } = await move('--hand-over', '--hand-back');
    expect([code, stderr]).toEqual([2, expect.stringContaining('give one of them')]);
    expect(core.requests).toBe(0);
  });

  test('--apply stores what the core has; what the core delivers is off here until it is handed over', async () => {
    shop();
    expect((await move('--apply')).code).toBe(0);
    expect(await stored()).toMatchObject([
      {
        instanceName: 'loja',
        instanceId: idOf('loja'),
        token: 'token-of-loja',
        webhook: {
          enabled: false,
          url: URL_OF_LOJA,
          headers: { 'x-key': 's3cr3t' },
          byEvents: true,
          base64: false,
          events: ['MESSAGES_UPSERT'],
        },
        pusher: { ...PUSHER, enabled: false, events: [] },
        websocket: { enabled: false },
        // The global exchange brings its events.
        rabbitmq: { enabled: false, events: ['CALL'] },
      },
    ]);
  });

  test('consumes the exchange of an instance where no global one brings its events', async () => {
    shop();
    await run(['settings', 'import', '--from-core', core.url, '--apply'], {
      RABBITMQ_GLOBAL_ENABLED: 'false',
    });
    expect(await stored()).toMatchObject([{ rabbitmq: { enabled: true, events: ['CALL'] } }]);
  });

  test('importing twice changes nothing, and fields of the relay’s own stay', async () => {
    shop();
    await move('--apply');
    await run([
      'settings',
      'set',
      'loja',
      JSON.stringify({ webhooks: { n8n: { url: 'https://example.com/n8n' } } }),
    ]);
    const before = await stored();
    const again = await move('--apply');
    expect(again.stdout).toContain('0 imported');
    expect(await stored()).toEqual(before);
  });

  test('a change at the core is the only change of the next import', async () => {
    shop();
    await move('--apply');
    core.add('loja', { webhook: { url: 'https://example.com/other' } });
    const { stdout } = await move();
    expect(stdout).toMatch(/webhook +changes url, headers, byEvents, events|webhook +changes /);
    expect(stdout).toContain('1 would change');
  });

  test('an instance that cannot be taken is named, and the others are imported: exit 1', async () => {
    core.add('wrong', { webhook: { url: 'ftp://example.com' } });
    shop();
    const { code, stderr } = await move('--apply');
    expect(code).toBe(1);
    expect(stderr).toContain('not imported: "wrong": webhook.url');
    expect(await stored()).toMatchObject([{ instanceName: 'loja' }]);
  });

  test.each(['x'.repeat(256), 'two\nlines'])(
    'what cannot be set by any other way is not imported either: a name such as %j',
    async (name) => {
      core.add(name, { webhook: { url: URL_OF_LOJA } });
      shop();
      const { code, stderr } = await move('--apply');
      expect(code).toBe(1);
      expect(stderr).toContain('instance: must be the name of an instance');
      expect(await stored()).toMatchObject([{ instanceName: 'loja' }]);
    },
  );

  test('a transport that the core has switched off says nothing about it', async () => {
    shop();
    core.off.add('pusher');
    await move('--apply');
    const [loja] = await stored();
    expect(loja).not.toHaveProperty('pusher');
  });

  test('thousands of instances: few requests at once', async () => {
    for (let index = 0; index < 600; index++)
      core.add(`instance-${index}`, { webhook: { url: `${URL_OF_LOJA}/${index}` } });
    const { code, stdout } = await move('--apply');
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'Evolution API: 600 instances; 600 imported',
    });
    expect(core.peak).toBeLessThanOrEqual(10);
  });

  test('an import that was cut goes on where it was', async () => {
    for (let index = 0; index < 40; index++) core.add(`instance-${index}`, { websocket: {} });
    let reads = 0;
    core.front = ({ path }) => {
      if (path.includes('/find/')) reads++;
      return reads > 100
        ? { status: 401, type: 'application/json', body: '{"status":401,"error":"Unauthorized"}' }
        : undefined;
    };
    expect((await move('--apply')).code).toBe(1);
    const first = (await stored()).length;
    expect(first).toBeGreaterThan(5);
    core.front = () => undefined;
    const before = core.requests;
    const { code, stdout } = await move('--apply');
    expect(code).toBe(0);
    expect(stdout).toContain(`${first} of them imported by the run before`);
    expect((await stored()).length).toBe(40);
    expect(core.requests - before).toBe(1 + (40 - first) * 5);
    // The next one begins anew.
    expect((await move('--apply')).stdout).toContain('Evolution API: 40 instances; 0 imported');
  });

  test.each([
    [
      'a web page',
      200,
      'text/html',
      '<!DOCTYPE html><title>nginx</title>',
      'is a web page (HTTP 200), not the core API',
    ],
    [
      'a web page of a proxy that finds nothing',
      404,
      'text/html',
      '<html></html>',
      'is a web page (HTTP 404)',
    ],
    ['no such route', 404, 'application/json', '{"status":404}', 'there is no core API at'],
    ['something that is no JSON', 200, 'text/plain', 'hello', 'its answer (HTTP 200) is no JSON'],
    ['no list', 200, 'application/json', '{"status":200}', 'no list of instances'],
    [
      'a core that is not activated',
      503,
      'application/json',
      '{"error":"service not activated","code":"LICENSE_REQUIRED","register_url":"https://example.com/register"}',
      'not activated (LICENSE_REQUIRED): activate it at https://example.com/register',
    ],
  ])('%s is named in plain words: exit 1', async (_what, status, type, body, words) => {
    core.front = () => ({ status, type, body });
    const { code, stderr } = await move();
    expect(code).toBe(1);
    expect(stderr).toContain(words);
  });

  test('a redirect is named and not followed: the key goes nowhere else', async () => {
    const elsewhere = await HttpTarget.start();
    try {
      core.front = ({ path }) => ({
        ...{ status: 301, type: 'text/html', body: '<html>Moved</html>' },
        location: `${elsewhere.url}${path}`,
      });
      const { code, stderr } = await move();
      expect(code).toBe(1);
      expect(stderr).toContain(`redirects to ${elsewhere.url}/instance/fetchInstances (HTTP 301)`);
      expect(elsewhere.received.all).toEqual([]);
    } finally {
      await elsewhere.stop();
    }
  });

  test('a wrong key is named, and so is what the key must be: exit 1', async () => {
    const { code, stderr } = await move('--key', 'token-of-loja');
    expect(code).toBe(1);
    expect(stderr).toContain('must be its global key and not that of an instance');
  });

  test('a proxy that does not reach the core is asked again', async () => {
    shop();
    let answered = 0;
    core.front = () =>
      answered++ < 2 ? { status: 503, type: 'text/html', body: '<html>503</html>' } : undefined;
    const { stdout, stderr } = await move();
    expect(stdout).toContain('1 would change');
    // Somebody waits meanwhile, with a core that hangs for minutes.
    expect(stderr).toMatch(/does not serve at the moment \(HTTP 503\).*: trying again in \d\.\d s/);
  });

  test('wrong usage: exit 2, with what is right', async () => {
    const wrong = [
      await run(['settings', 'import']),
      await run(['settings', 'import', 'file.json', '--apply']),
      await run(['settings', 'import', 'file.json', '--from-core', core.url]),
      await run(['settings', 'import', '--from-core', 'localhost']),
      await move('--hand-over', '--hand-back'),
      await move('--hand-over', '--sections', 'webhok'),
      await move('--instance', 'nobody'),
      await run(['settings', 'import', '--from-core', core.url], { AUTHENTICATION_API_KEY: '' }),
    ];
    expect(wrong.map(({ code }) => code)).toEqual(wrong.map(() => 2));
    expect(wrong.map(({ stderr }) => stderr.length > 10)).not.toContain(false);
  });
});

describe('--hand-over and --hand-back', () => {
  test('without --apply nothing is handed over', async () => {
    shop();
    const { stdout } = await move('--hand-over');
    expect(stdout).toContain('nothing was handed over: --apply does it');
    expect(core.row('loja', 'webhook')).toMatchObject({ enabled: true });
  });

  test('switch the core off and on again, exactly as it was; the other way round here', async () => {
    shop();
    const before = [core.row('loja', 'webhook'), core.row('loja', 'pusher'), core.row('loja', 'websocket')];
    expect((await move('--apply', '--hand-over')).stdout).toContain('handed over: loja: webhook, pusher');
    expect([core.row('loja', 'webhook'), core.row('loja', 'pusher')]).toMatchObject([
      { enabled: false, url: URL_OF_LOJA },
      { enabled: false },
    ]);
    const here = await stored();
    expect(here).toMatchObject([
      { webhook: { enabled: true, events: ['MESSAGES_UPSERT'] }, pusher: { enabled: true } },
    ]);
    // A further import does not take what was switched off for what is wanted; nothing is handed over twice.
    expect((await move('--apply', '--hand-over')).stdout).toContain('0 instances handed over');
    expect(await stored()).toEqual(here);
    const back = await move('--apply', '--hand-back');
    expect(back.stdout).toContain('1 instance handed back');
    expect([core.row('loja', 'webhook'), core.row('loja', 'pusher'), core.row('loja', 'websocket')]).toEqual(
      before,
    );
    // What is parked is delivered still, and nothing new.
    const events = ['APPLICATION_STARTUP'];
    expect(await stored()).toMatchObject([
      { webhook: { enabled: true, events }, pusher: { enabled: true, events } },
    ]);
    expect((await move('--apply')).stdout).toContain('0 imported');
    expect((await move('--apply', '--hand-back')).stdout).toContain('0 instances handed back');
    await move('--apply', '--hand-over');
    expect(await stored()).toMatchObject([{ webhook: { enabled: true, events: ['MESSAGES_UPSERT'] } }]);
  });

  test('a webhook with base64 stays on at the core, for an event that never comes: media would lack otherwise', async () => {
    core.add('loja', { webhook: { url: URL_OF_LOJA, base64: true } });
    const before = core.row('loja', 'webhook');
    await move('--apply', '--hand-over');
    expect(core.row('loja', 'webhook')).toMatchObject({
      enabled: true,
      webhookBase64: true,
      events: ['APPLICATION_STARTUP'],
    });
    expect(await stored()).toMatchObject([{ webhook: { enabled: true, base64: true, events: [] } }]);
    expect((await move('--apply', '--hand-over')).stdout).toContain('0 instances handed over');
    await move('--apply', '--hand-back');
    expect(core.row('loja', 'webhook')).toEqual(before);
  });

  test('only the sections and instances that are named', async () => {
    shop();
    core.add('norte', { webhook: { url: URL_OF_LOJA } });
    await move('--apply', '--hand-over', '--instance', 'loja', '--sections', 'webhook');
    expect(core.row('loja', 'webhook')).toMatchObject({ enabled: false });
    expect(core.row('loja', 'pusher')).toMatchObject({ enabled: true });
    expect(core.row('norte', 'webhook')).toMatchObject({ enabled: true });
  });

  test('an instance whose events reach no source is not handed over: exit 1', async () => {
    core.add('loja', { webhook: { url: URL_OF_LOJA } });
    const { code, stderr } = await run(
      ['settings', 'import', '--from-core', core.url, '--apply', '--hand-over'],
      { RABBITMQ_GLOBAL_ENABLED: 'false' },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('not handed over: "loja": its events reach no source of the relay');
    expect(core.row('loja', 'webhook')).toMatchObject({ enabled: true });
  });

  test('what the relay would refuse is not switched off at the core: exit 1', async () => {
    core.add('loja', { webhook: { url: 'http://10.0.0.7/hook' } });
    const { code, stderr } = await move('--apply', '--hand-over');
    expect(code).toBe(1);
    expect(stderr).toContain('WEBHOOK_ALLOWED_NETWORKS');
    expect(core.row('loja', 'webhook')).toMatchObject({ enabled: true });
    expect((await move('--apply', '--hand-back')).stdout).toContain('0 instances handed back');
  });

  test('a hand-over that was cut is gone on with, and can be handed back', async () => {
    for (const name of ['a', 'b', 'c']) core.add(name, { webhook: { url: `${URL_OF_LOJA}/${name}` } });
    const before = ['a', 'b', 'c'].map((name) => core.row(name, 'webhook'));
    let sets = 0;
    core.front = ({ method }) =>
      method === 'POST' && ++sets > 1
        ? { status: 401, type: 'application/json', body: '{"status":401}' }
        : undefined;
    const cut = await move('--apply', '--hand-over');
    expect(cut.code).toBe(1);
    expect(cut.stdout).toMatch(/handed over: [abc]: webhook\n1 instance handed over/);
    const both = 'delivered by both, the core and the relay, until this is run again';
    expect(cut.stderr.split('\n').filter((line) => line.startsWith(both)).length).toBe(2);
    core.front = () => undefined;
    const rest = await move('--apply', '--hand-over');
    expect(rest.stdout).toContain('2 instances handed over');
    expect(rest.stderr).not.toContain(both);
    expect(['a', 'b', 'c'].map((name) => core.row(name, 'webhook')?.['enabled'])).toEqual([
      false,
      false,
      false,
    ]);
    await move('--apply', '--hand-back');
    expect(['a', 'b', 'c'].map((name) => core.row(name, 'webhook'))).toEqual(before);
  });
});

describe('evolution-go', () => {
  const row = {
    id: '7c1f5b0e-2d3a-4f77-9a51-3c0c1f6f2b10',
    name: 'vendas',
    token: 'token-of-vendas',
    webhook: 'https://example.com/vendas',
    rabbitmqEnable: 'global',
    websocketEnable: '',
    events: 'MESSAGE,CALL',
  };
  let go: HttpTarget;
  beforeEach(async () => {
    go = await HttpTarget.start();
    const list = JSON.stringify({ message: 'success', data: [row] });
    const all = respond(200, { 'content-type': 'application/json' }, list);
    const nothing = respond(404, { 'content-type': 'text/plain' }, '404 page not found');
    go.answer = (response, request) => (request.path === '/instance/all' ? all : nothing)(response, request);
  });
  afterEach(() => go.stop());

  test('is recognised by its routes, and its webhooks are imported', async () => {
    const { code, stdout } = await run(['settings', 'import', '--from-core', go.url, '--apply']);
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'evolution-go: 1 instance; 1 imported',
    });
    expect(await stored()).toMatchObject([
      { instanceName: 'vendas', webhook: { enabled: false, url: row.webhook, events: ['MESSAGE', 'CALL'] } },
    ]);
  });

  test('has no route to be handed over by: exit 2, and nothing was changed', async () => {
    const { code, stderr } = await run([
      'settings',
      'import',
      '--from-core',
      go.url,
      '--apply',
      '--hand-over',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('clear the webhook of each instance there');
    expect(await stored()).toEqual([]);
  });
});
